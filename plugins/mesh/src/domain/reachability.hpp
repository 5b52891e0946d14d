// Is a Node there? Derived from its last heartbeat and the Domain's policy, never stored: two
// readers with the same rows, policy and time see the same. Pure functions, any thread.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace plexsphere::mesh {

using Time = std::chrono::sys_time<std::chrono::microseconds>;

enum class ReachabilityState { healthy, stale, unreachable };

// The contract's word for it.
std::string_view text_of(ReachabilityState state);

// Silence shorter than `stale_after` is healthy, longer than `unreachable_after` is unreachable,
// between them (both ends included) is stale. Invariant of tenancy: stale_after <=
// unreachable_after.
struct SilencePolicy {
  std::chrono::milliseconds stale_after;
  std::chrono::milliseconds unreachable_after;
};

// What is known of a Node's heartbeats.
struct HeartbeatRecord {
  Time created_at;                        // of the Node's row
  std::optional<Time> last_heartbeat_at;  // none: it has never reported
  std::optional<Time> healthy_since;      // first heartbeat after its last silence
};

struct Reachability {
  ReachabilityState state = ReachabilityState::unreachable;
  std::optional<Time> last_heartbeat_at;
  Time changed_at;  // when it entered `state`

  bool operator==(const Reachability&) const = default;
};

// `now` by the clock that wrote the record: the database's.
Reachability derive_reachability(const HeartbeatRecord& record, const SilencePolicy& policy,
                                 Time now);

}  // namespace plexsphere::mesh
