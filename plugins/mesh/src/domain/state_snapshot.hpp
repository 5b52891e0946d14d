// What a Node needs to know of its mesh, at one moment. Values.
#pragma once

#include <string>
#include <vector>

#include "domain/reachability.hpp"
#include "domain/state_report.hpp"

namespace plexsphere::mesh {

struct SnapshotPeer {
  std::string node_id;            // UUID text
  std::string mesh_ip;            // canonical text
  std::string public_key;         // base64 of 32 bytes
  std::string fallback_endpoint;  // host:port of a relay; empty: none
};

// Invariant: `peers` ascend by node id and leave the asking Node out.
struct StateSnapshot {
  std::vector<SnapshotPeer> peers;
  Reachability reachability;
  StateEntries entries;
};

}  // namespace plexsphere::mesh
