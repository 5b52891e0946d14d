// The real host with the test plugin `good`, as a process that listens on plain TCP and on TLS.
//
// Thread safety: none, but for what is const. Ownership: owns the process and its files.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "good_client.hpp"
#include "support/process.hpp"
#include "support/temp_dir.hpp"
#include "support/test_certificate.hpp"
#include "support/wire_client.hpp"

namespace plexsphere::hostile {

// Where a client comes from, and how much its kernel takes for it: 0 is the system's choice.
struct Origin {
  std::string address{};
  int receive_buffer = 0;
};

class HostRig {
 public:
  // `http` are further lines of the [http] section. Waits until it listens and has served a request
  // of each kind, so that what it opens once is open. Raises the limit of descriptors, for floods.
  explicit HostRig(const std::string& http, const std::string& drain_delay = "0s");

  std::uint16_t port(bool tls) const { return tls ? tls_port_ : plain_port_; }
  test_support::WireClient connect(bool tls, const Origin& origin = {}) const;
  // The value of a series as it is rendered, labels included; -1 when there is none. Asked over a
  // connection that is kept, so that it works when no other is taken.
  double metric(const std::string& series);
  // Of plexsphere_http_refusals_total for a reason; 0 when there was none.
  std::size_t refusals(const std::string& reason);
  // Those that are open, streams and that of metric included.
  std::size_t connections();
  // Waits until the process has no more connections, requests, streams and descriptors than at
  // first.
  bool at_rest();
  // What differs, for a test that fails.
  std::string figures();
  std::string log() const { return process_->err(); }

  // Puts another certificate in place of the one in use, sends SIGHUP, and waits until it was read.
  // Its serial.
  std::string renew_certificate();
  // The same with a file that is no certificate; waits until that was refused.
  void spoil_certificate();
  const std::string& serial() const { return certificate_.serial; }
  // SIGTERM, at once.
  void ask_to_leave() { process_->terminate(); }
  // Waits for the end; the exit code as a shell has it, -1 when there is none.
  int ended();

 private:
  std::string metrics();
  std::size_t descriptors() const;
  std::uint16_t logged_port(const std::string& before) const;

  test_support::TempDir directory_;
  test_support::TestCertificate certificate_;
  test_support::TlsClientContext tls_;
  std::unique_ptr<test_support::Process> process_;
  std::uint16_t plain_port_ = 0;
  std::uint16_t tls_port_ = 0;
  std::optional<test_support::WireClient> observer_;
  std::size_t descriptors_at_first_ = 0;
};

// How every case ends: the good were served, none failed, none waited long, and nothing of what the
// others did is left.
void check_unharmed(HostRig& rig, GoodClients& good);

// "GET <path>" of a client that stays.
std::string get(const std::string& path);
// "POST <path>" with its body.
std::string post(const std::string& path, const std::string& body);
// The value of a header, "(absent)" without.
std::string header_of(const test_support::HttpResponse& answer, const std::string& name);
// Waits until the other end of a plain connection has closed; false when it just says nothing.
bool is_closed(test_support::WireClient& client);

}  // namespace plexsphere::hostile
