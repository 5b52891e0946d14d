// What the routes of a Node do: take a heartbeat, show its state, show whether it is there.
// Thread safety: any thread; blocks on the database.
#pragma once

#include "app/policy_cache.hpp"
#include "domain/heartbeat.hpp"
#include "domain/state_snapshot.hpp"
#include "store/peer_store.hpp"

namespace plexsphere::mesh {

class NodeViews {
 public:
  // Keeps references: both outlive it.
  NodeViews(PeerStore& peers, PolicyCache& policies) : peers_(peers), policies_(policies) {}

  // Refusals as PeerStore::record_heartbeat. `report` has
  // passed judge_heartbeat.
  sdk::Result<AcceptedHeartbeat> accept_heartbeat(const sdk::Uuid& node_id,
                                                  const sdk::Uuid& domain_id,
                                                  std::int64_t generation,
                                                  const HeartbeatReport& report);
  // NOT_FOUND "node_not_found" for a Node that is not live.
  sdk::Result<StateSnapshot> state(const sdk::Uuid& node_id);
  sdk::Result<Reachability> reachability(const sdk::Uuid& node_id);

 private:
  sdk::Result<Reachability> derive(const HeartbeatReading& reading);

  PeerStore& peers_;
  PolicyCache& policies_;
};

}  // namespace plexsphere::mesh
