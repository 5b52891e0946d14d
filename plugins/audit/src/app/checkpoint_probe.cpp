#include "app/checkpoint_probe.hpp"

#include <algorithm>
#include <string>

namespace plexsphere::audit {

sdk::ProbeResult CheckpointProbe::run() const {
  if (!signer_.available()) {
    return {PX_HEALTH_DEGRADED,
            "no checkpoint is signed: enable a context that provides px.signing/1"};
  }
  const auto lag = checkpoints_.look();
  if (!lag.ok()) {
    return {PX_HEALTH_DEGRADED, "it cannot be read how old checkpoints are: " + lag.error().reason};
  }
  const auto limit = std::max<std::chrono::milliseconds>(interval_ * kIntervals, kAtLeast);
  if (std::chrono::seconds(lag->seconds) > limit) {
    return {PX_HEALTH_DEGRADED,
            std::to_string(lag->chains) +
                " chains have entries that no checkpoint covers, the oldest for " +
                std::to_string(lag->seconds) + " s; see audit.checkpoint_failed in the log"};
  }
  return {PX_HEALTH_OK, "checkpoints are up to date"};
}

}  // namespace plexsphere::audit
