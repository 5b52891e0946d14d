// The whole product, run for real: a private PostgreSQL, the migrations, the signer, one or more
// replicas of the core, and an operator's token.
//
// Not thread-safe, but base URLs and operators may be used from any thread. Owns every process; all
// are gone with it.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "sim/operator.hpp"
#include "support/pg_cluster.hpp"
#include "support/process.hpp"

namespace plexsphere::e2e {

using namespace std::chrono_literals;

// One running core.
class Core {
 public:
  Core(std::unique_ptr<test_support::Process> process, std::string url)
      : process_(std::move(process)), url_(std::move(url)) {}
  const std::string& url() const { return url_; }
  test_support::Process& process() { return *process_; }

 private:
  std::unique_ptr<test_support::Process> process_;
  std::string url_;
};

class Deployment {
 public:
  struct Options {
    bool durable = false;                             // PostgreSQL with fsync
    std::vector<std::string> postgres_settings = {};  // further "name=value"
    bool signer = true;                               // start the signer
    std::string core_settings = {};                   // TOML appended to the core's configuration
    std::vector<std::string> disabled = {};           // contexts left out
    std::vector<std::string> core_flags = {};         // appended to the core's command line
  };

  // Migrates, makes an operator unless identity is left out, and starts the signer, not yet a core.
  // Throws with the failing program's output.
  Deployment();
  explicit Deployment(Options options);

  // Starts a replica and waits until it is ready; `overrides` is TOML of a further drop-in.
  Core& start_core(const std::string& overrides = {});
  // As start_core, without waiting for readiness (the address is known, though).
  Core& launch_core(const std::string& overrides = {});
  void start_signer();
  void stop_signer();
  // A further platform operator's token. Throws with the bootstrap's output.
  std::string make_operator(const std::string& name) const;

  test_support::PgCluster& postgres() { return *postgres_; }
  // A libpq string for the product's database, as the superuser.
  std::string admin_dsn() const;
  // The platform operator that the bootstrap made, against the first core.
  sim::Operator op() const;
  const std::string& operator_token() const { return operator_token_; }
  std::filesystem::path directory() const { return files_.path(); }
  std::filesystem::path core_configuration() const { return core_configuration_; }

  // Directory with the built programs, and the plugins beside it.
  static std::filesystem::path binaries();
  static std::filesystem::path plugins();

 private:
  void write_secrets();
  void write_configuration();
  void migrate();
  bool is_disabled(const std::string& context) const;

  Options options_;
  test_support::TempDir files_;
  std::unique_ptr<test_support::PgCluster> postgres_;
  std::unique_ptr<test_support::Process> signer_;
  std::vector<std::unique_ptr<Core>> cores_;
  std::filesystem::path core_configuration_;
  std::filesystem::path signer_configuration_;
  std::string operator_token_;
};

// GET `url` until the status is `status` or the limit has passed; the last answer.
test_support::HttpResponse wait_for_status(const std::string& url, int status,
                                           std::chrono::milliseconds limit = 20s);

}  // namespace plexsphere::e2e
