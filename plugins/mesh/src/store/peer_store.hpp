// The table of peers, as requests read and write it.
// Thread safety: declare at configure, then any thread; every call is one transaction and blocks.
#pragma once

#include <optional>
#include <vector>

#include "domain/heartbeat.hpp"
#include "domain/reachability.hpp"
#include "domain/state_snapshot.hpp"
#include "plexsphere/sdk/store.hpp"

namespace plexsphere::mesh {

// Of one Node: its heartbeats, and the database's time at the moment of reading.
struct HeartbeatReading {
  sdk::Uuid domain_id;
  HeartbeatRecord record;
  Time now;
};

// What a heartbeat is answered with.
struct AcceptedHeartbeat {
  Time accepted_at;
  bool rotate_keys = false;  // a rotation of the mesh key is pending
};

struct StateReading {
  HeartbeatReading self;
  std::vector<SnapshotPeer> peers;  // as StateSnapshot wants them
  StateEntries entries;
};

class PeerStore {
 public:
  sdk::Status declare(const sdk::Store& store);

  // Stores the report if the Node is live and `generation` is its credential's. In one round
  // trip. UNAUTHENTICATED "nsk_revoked" when the credential is not the Node's any more;
  // NOT_FOUND when there is no such peer. A silence of `stale_after` or more ends here.
  sdk::Result<AcceptedHeartbeat> record_heartbeat(const sdk::Uuid& node_id, std::int64_t generation,
                                                  const HeartbeatReport& report,
                                                  std::chrono::milliseconds stale_after) const;
  // Nothing when there is no such live Node.
  sdk::Result<std::optional<HeartbeatReading>> read_heartbeats(const sdk::Uuid& node_id) const;
  // The same, its peers and its state entries, in one round trip.
  sdk::Result<std::optional<StateReading>> read_state(const sdk::Uuid& node_id) const;

 private:
  sdk::Store store_;
  sdk::Statement heartbeat_, reading_, state_;
};

}  // namespace plexsphere::mesh
