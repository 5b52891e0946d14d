#include "host/apps/runtime/tls_keeper.hpp"

namespace plexsphere::host::apps {
namespace {

prometheus::Counter& reloads(telemetry::Metrics& metrics, const char* result) {
  return metrics
      .counter("plexsphere_tls_reloads_total", "Times the certificate files were read again.")
      .Add({{"result", result}});
}

}  // namespace

Status TlsKeeper::load(const http::tls::CertificateFiles& files) {
  auto loaded = http::tls::Certificates::load(files);
  if (!loaded) {
    return loaded.status();
  }
  certificates_ = std::move(*loaded);
  reloads(metrics_, "ok");  // so that both series exist from the start
  reloads(metrics_, "failed");
  note_expiry();
  return {};
}

void TlsKeeper::reload() {
  const std::lock_guard lock(reloading_);
  if (!certificates_) {
    log_.info("tls.reload_skipped", {{"detail", "no certificate is configured in [tls]"}});
    return;
  }
  if (const auto status = certificates_->reload(); !status) {
    reloads(metrics_, "failed").Increment();
    log_.error("tls.reload_failed", {{"code", code_name(status.code())},
                                     {"detail", status.message()},
                                     {"remedy",
                                      "the old certificate stays in use: correct the "
                                      "files and send SIGHUP again"}});
    return;
  }
  reloads(metrics_, "ok").Increment();
  log_.info("tls.reloaded", {{"not_after", certificates_->not_after()}});
  note_expiry();
}

void TlsKeeper::note_expiry() {
  using Clock = std::chrono::system_clock;  // a certificate's dates are those of the calendar
  const std::int64_t end = certificates_->not_after();
  metrics_
      .gauge("plexsphere_tls_certificate_not_after_seconds",
             "When the certificate in use expires, seconds since 1970.")
      .Add({})
      .Set(static_cast<double>(end));
  const auto left = Clock::from_time_t(end) - Clock::now();
  if (left >= kCertificateWarning) {
    return;
  }
  const bool over = left <= Clock::duration::zero();
  log_.warn(over ? "tls.certificate_expired" : "tls.certificate_expires_soon",
            {{"not_after", end},
             {"hours_left", std::chrono::duration_cast<std::chrono::hours>(left).count()},
             {"remedy", "put a new certificate into the files of [tls] and send SIGHUP"}});
}

}  // namespace plexsphere::host::apps
