#include "http/views_json.hpp"

#include <nlohmann/json.hpp>

#include "plexsphere/sdk/time.hpp"

namespace plexsphere::mesh {
namespace {

using Json = nlohmann::ordered_json;

Json object_of(const Reachability& reachability) {
  Json out{{"state", text_of(reachability.state)}};
  if (reachability.last_heartbeat_at) {
    out["last_heartbeat_at"] = sdk::rfc3339(*reachability.last_heartbeat_at);
  }
  out["changed_at"] = sdk::rfc3339(reachability.changed_at);
  return out;
}

Json object_of(const SnapshotPeer& peer) {
  Json out{{"node_id", peer.node_id}, {"mesh_ip", peer.mesh_ip}, {"public_key", peer.public_key}};
  if (!peer.fallback_endpoint.empty()) {
    out["fallback_endpoint"] = peer.fallback_endpoint;
  }
  return out;
}

Json bucket_of(const std::vector<StateReport>& entries) {
  Json out = Json::array();
  for (const StateReport& entry : entries) {
    Json object{{"key", entry.key}, {"value", entry.value}};
    if (entry.workload_tag) {
      object["workload_tag"] = *entry.workload_tag;
    }
    out.push_back(std::move(object));
  }
  return out;
}

Json object_of(const StateEntries& entries) {
  return {{"metadata", bucket_of(entries.metadata)},
          {"data", bucket_of(entries.data)},
          {"reports", bucket_of(entries.reports)}};
}

}  // namespace

std::string heartbeat_json(Time accepted_at, bool rotate_keys) {
  const Json out{{"accepted_at", sdk::rfc3339(accepted_at)},
                 {"reconcile", false},
                 {"rotate_keys", rotate_keys}};
  return out.dump();
}

std::string reachability_json(const Reachability& reachability) {
  return object_of(reachability).dump();
}

std::string state_json(const StateSnapshot& snapshot) {
  Json peers = Json::array();
  for (const SnapshotPeer& peer : snapshot.peers) {
    peers.push_back(object_of(peer));
  }
  const Json entries = object_of(snapshot.entries);
  const Json out{{"peers", std::move(peers)}, {"reachability", object_of(snapshot.reachability)},
                 {"policy", nullptr},         {"bridge", nullptr},
                 {"state", entries},          {"reports", entries}};
  return out.dump();
}

}  // namespace plexsphere::mesh
