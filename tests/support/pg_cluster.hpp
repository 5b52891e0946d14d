// A private PostgreSQL server for one test program: real, empty, and gone with the test.
//
// Thread safety: dsn() and query() from any thread; everything else from one. Owns its data
// directory and its server process; the destructor kills by process id and removes the directory.
// Invariant: no other cluster on the machine is looked at, least of all the system's.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "process.hpp"
#include "temp_dir.hpp"

namespace plexsphere::test_support {

class PgCluster {
 public:
  // How a server is asked to stop; PostgreSQL's own words (SIGTERM, SIGINT, SIGQUIT).
  enum class StopMode { kSmart, kFast, kImmediate };

  struct Options {
    // fsync, full page writes and synchronous commit on: for tests that kill the server and look
    // at what survived. Off, a test runs several times faster and a power cut may lose data.
    bool durable = false;
    std::uint32_t max_connections = 100;
    std::vector<std::string> settings;  // further "name=value" server settings
  };
  [[nodiscard]] static Options durable();

  // Makes and starts a server, in about a second: the data directory is a copy of one that is
  // initialised once per user and PostgreSQL version. As root the server runs as the user
  // plexsphere-dev (or postgres). Throws std::runtime_error with the server's log when it fails.
  PgCluster();
  explicit PgCluster(Options options);
  ~PgCluster();
  PgCluster(const PgCluster&) = delete;
  PgCluster& operator=(const PgCluster&) = delete;

  // Starts a stopped or killed server again, on the same port and socket.
  void start();
  // Stops it and waits; a server that does not obey within 30 s is killed and that is an error.
  // kSmart waits for the clients to leave.
  void stop(StopMode mode = StopMode::kFast);
  // SIGKILL to the server and every process of it, as a power cut would; waits until all are gone.
  void kill9();
  [[nodiscard]] bool running();

  // A libpq connection string, over the unix socket. Every role may connect without a password.
  [[nodiscard]] std::string dsn(const std::string& dbname = "postgres",
                                const std::string& user = "postgres") const;
  // The same over TCP on 127.0.0.1.
  [[nodiscard]] std::string tcp_dsn(const std::string& dbname = "postgres",
                                    const std::string& user = "postgres") const;
  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] std::filesystem::path socket_directory() const { return directory_.path(); }
  [[nodiscard]] std::filesystem::path data_directory() const { return directory_.path() / "data"; }
  // Everything the server has logged since its last start.
  [[nodiscard]] std::string log() const;

  // Runs SQL with psql and returns its unaligned, tuples-only output without the last newline.
  // Throws std::runtime_error with psql's message when a statement fails.
  std::string query(const std::string& sql, const std::string& dbname = "postgres",
                    const std::string& user = "postgres") const;
  void create_database(const std::string& name) const;

 private:
  [[nodiscard]] std::vector<std::string> server_arguments() const;
  [[nodiscard]] bool start_once();
  [[nodiscard]] bool ready() const;

  Options options_;
  TempDir directory_;
  std::uint16_t port_ = 0;
  std::unique_ptr<Process> server_;
};

}  // namespace plexsphere::test_support
