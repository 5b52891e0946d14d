// The certificate the process shows: loaded at start, read again on demand, watched for its end.
//
// Thread safety: load once; reload from any thread, one at a time.
// Ownership: shares the certificates with the engine. Logger and metrics must outlive it.
#pragma once

#include <chrono>
#include <memory>
#include <mutex>

#include "host/http/tls/certificates.hpp"
#include "host/telemetry/log.hpp"
#include "host/telemetry/metrics.hpp"

namespace plexsphere::host::apps {

// Left of a certificate's life, the time in which it is warned about.
inline constexpr std::chrono::hours kCertificateWarning{14 * 24};

class TlsKeeper {
 public:
  TlsKeeper(telemetry::Logger& log, telemetry::Metrics& metrics) : log_(log), metrics_(metrics) {}

  // Loads the certificate and tells how long it lasts. Errors as Certificates::load. [init]
  Status load(const http::tls::CertificateFiles& files);
  // Reads the files again. Logs and counts what came of it; on failure the old ones stay. Without
  // certificates it says so and does nothing.
  void reload();

  // Null before load.
  const std::shared_ptr<http::tls::Certificates>& certificates() const { return certificates_; }

 private:
  void note_expiry();

  telemetry::Logger& log_;
  telemetry::Metrics& metrics_;
  std::mutex reloading_;
  std::shared_ptr<http::tls::Certificates> certificates_;  // the engine has the other share
};

}  // namespace plexsphere::host::apps
