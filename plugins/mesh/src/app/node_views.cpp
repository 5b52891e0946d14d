#include "app/node_views.hpp"

namespace plexsphere::mesh {
namespace {

sdk::Error no_such_node() {
  return {sdk::Code::not_found, "node_not_found", "There is no such Node."};
}

}  // namespace

sdk::Result<AcceptedHeartbeat> NodeViews::accept_heartbeat(const sdk::Uuid& node_id,
                                                           const sdk::Uuid& domain_id,
                                                           std::int64_t generation,
                                                           const HeartbeatReport& report) {
  const auto policy = policies_.of(domain_id);
  if (!policy.ok()) {
    return policy.error();
  }
  return peers_.record_heartbeat(node_id, generation, report, policy->stale_after);
}

sdk::Result<StateSnapshot> NodeViews::state(const sdk::Uuid& node_id) {
  auto reading = peers_.read_state(node_id);
  if (!reading.ok()) {
    return reading.error();
  }
  if (!reading->has_value()) {
    return no_such_node();
  }
  StateReading& found = **reading;
  const auto reachability = derive(found.self);
  if (!reachability.ok()) {
    return reachability.error();
  }
  return StateSnapshot{std::move(found.peers), *reachability, std::move(found.entries)};
}

sdk::Result<Reachability> NodeViews::reachability(const sdk::Uuid& node_id) {
  const auto reading = peers_.read_heartbeats(node_id);
  if (!reading.ok()) {
    return reading.error();
  }
  return reading->has_value() ? derive(**reading) : no_such_node();
}

sdk::Result<Reachability> NodeViews::derive(const HeartbeatReading& reading) {
  const auto policy = policies_.of(reading.domain_id);
  if (!policy.ok()) {
    return policy.error();
  }
  return derive_reachability(reading.record, *policy, reading.now);
}

}  // namespace plexsphere::mesh
