// The real host with the test plugin `good` and no database, as a process of its own.
//
// Not thread-safe. Owns the process and its files; its log goes to a file there.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "bench/support/client_socket.hpp"
#include "support/process.hpp"
#include "support/temp_dir.hpp"

namespace plexsphere::bench {

class BareHost {
 public:
  struct Options {
    bool tls = false;       // a TLS listener with a certificate made for this run
    std::string http = {};  // further lines of the [http] section
  };
  // Starts it and waits until it answers. Throws std::runtime_error with its log when it does not.
  explicit BareHost(const Options& options);
  ~BareHost();

  Endpoint endpoint() const { return {.port = port_, .tls = tls_, .source = 1}; }
  // Resident memory, once it has come to rest.
  std::uint64_t resident_bytes() const;
  // Descriptors it has open.
  std::size_t descriptors() const;
  bool running() { return process_->running(); }
  std::string log() const { return process_->err(); }

 private:
  void write_configuration(const Options& options) const;
  std::string make_certificate() const;

  test_support::TempDir directory_;
  bool tls_;
  std::uint16_t port_ = 0;
  std::unique_ptr<test_support::Process> process_;
};

}  // namespace plexsphere::bench
