#include "app/reconcile_probe.hpp"

#include <string>

namespace plexsphere::audit {

sdk::ProbeResult ReconcileProbe::run() {
  const std::lock_guard lock(mutex_);
  const auto now = clock_.steady();
  if (!looked_at_ || now - *looked_at_ >= kEvery) {
    const auto faults = verifier_.check_heads();
    if (faults.ok()) {
      looked_at_ = now;
      faults_ = *faults;
    } else if (!looked_at_) {
      return {PX_HEALTH_DOWN, "the chains have not been looked at yet: " + faults.error().reason};
    }
  }
  if (faults_ > 0) {
    return {PX_HEALTH_DOWN,
            std::to_string(faults_) +
                " chains end elsewhere than their heads or checkpoints say; verify them and see "
                "audit.audit_tamper_quarantine"};
  }
  if (const auto broken = watch_.broken(); broken.chains > 0) {
    return {PX_HEALTH_DOWN, std::to_string(broken.chains) + " chains do not hold, one of them " +
                                broken.first + "; see audit.audit_tamper_quarantine"};
  }
  if (checkpoints_ != nullptr) {
    if (const auto set_back = checkpoints_->set_back(); set_back.chains > 0) {
      return {PX_HEALTH_DOWN,
              std::to_string(set_back.chains) +
                  " chains are not what the signer signed last, one of them " + set_back.first +
                  ": cut, rewritten, or restored to an earlier point without a declaration; see "
                  "plexsphere-bootstrap audit declare-restored"};
    }
  }
  if (scan_ != nullptr) {
    if (const auto broken = scan_->broken(); broken.objects > 0) {
      return {PX_HEALTH_DOWN, std::to_string(broken.objects) +
                                  " objects of the mirror are gone or say something else than "
                                  "their entries, one of them " +
                                  broken.first + "; see audit.audit_tamper_quarantine"};
    }
  }
  const std::string restored = watch_.restored();
  return {PX_HEALTH_OK,
          "every chain ends where its head says, and what was read of them holds" +
              (restored.empty() ? "" : "; restored to an earlier point, as declared: " + restored)};
}

}  // namespace plexsphere::audit
