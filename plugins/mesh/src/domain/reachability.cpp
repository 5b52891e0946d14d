#include "domain/reachability.hpp"

namespace plexsphere::mesh {

std::string_view text_of(ReachabilityState state) {
  switch (state) {
    case ReachabilityState::healthy:
      return "healthy";
    case ReachabilityState::stale:
      return "stale";
    case ReachabilityState::unreachable:
      break;
  }
  return "unreachable";
}

Reachability derive_reachability(const HeartbeatRecord& record, const SilencePolicy& policy,
                                 Time now) {
  if (!record.last_heartbeat_at) {
    return {ReachabilityState::unreachable, std::nullopt, record.created_at};
  }
  const Time last = *record.last_heartbeat_at;
  const auto silence = now - last;
  if (silence < policy.stale_after) {
    return {ReachabilityState::healthy, last, record.healthy_since.value_or(last)};
  }
  if (silence <= policy.unreachable_after) {
    return {ReachabilityState::stale, last, last + policy.stale_after};
  }
  return {ReachabilityState::unreachable, last, last + policy.unreachable_after};
}

}  // namespace plexsphere::mesh
