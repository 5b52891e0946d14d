// Answers as JSON text with one fixed order of members, so that equal state gives equal bytes.
// Pure, any thread.
#pragma once

#include <string>

#include "domain/state_snapshot.hpp"

namespace plexsphere::mesh {

// HeartbeatResponse.
std::string heartbeat_json(Time accepted_at, bool rotate_keys);
// Reachability.
std::string reachability_json(const Reachability& reachability);
// NodeStateSnapshot. The blocks of contexts that are not there are null, the contract's form of
// "not populated"; `state` and `reports` are the same value.
std::string state_json(const StateSnapshot& snapshot);

}  // namespace plexsphere::mesh
