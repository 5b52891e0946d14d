// The real host with the test plugin `good`, as a process that listens on plain TCP and on TLS.
//
// Thread safety: none, but for what is const. Ownership: owns the process and its files.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "support/process.hpp"
#include "support/temp_dir.hpp"
#include "support/test_certificate.hpp"
#include "support/wire_client.hpp"

namespace plexsphere::hostile {

class HostRig {
 public:
  // `http` are further lines of the [http] section. Waits until it listens and has served a request
  // of each kind, so that what it opens once is open.
  explicit HostRig(const std::string& http);

  std::uint16_t port(bool tls) const { return tls ? tls_port_ : plain_port_; }
  test_support::WireClient connect(bool tls) const;
  const test_support::TlsClientContext& tls() const { return tls_; }
  // The value of a series as it is rendered, labels included; -1 when there is none.
  double metric(const std::string& series) const;
  // Waits until the process has no more connections, requests, streams and descriptors than at
  // first.
  bool at_rest() const;
  // What differs, for a test that fails.
  std::string figures() const;

  // Puts another certificate in place of the one in use, sends SIGHUP, and waits until it was read.
  // Its serial.
  std::string renew_certificate();
  const std::string& serial() const { return certificate_.serial; }
  // SIGTERM; the exit code.
  std::optional<int> leave();

 private:
  std::size_t descriptors() const;
  std::uint16_t logged_port(const std::string& before) const;

  test_support::TempDir directory_;
  test_support::TestCertificate certificate_;
  test_support::TlsClientContext tls_;
  std::unique_ptr<test_support::Process> process_;
  std::uint16_t plain_port_ = 0;
  std::uint16_t tls_port_ = 0;
  std::size_t descriptors_at_first_ = 0;
};

// "GET <path>" of a client that stays.
std::string get(const std::string& path);
// The value of a header, "(absent)" without.
std::string header_of(const test_support::HttpResponse& answer, const std::string& name);

}  // namespace plexsphere::hostile
