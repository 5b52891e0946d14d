// The table of state entries, as workloads write it. PeerStore reads it with the state.
// Thread safety: declare at configure, then any thread; blocks.
#pragma once

#include <optional>

#include "domain/reachability.hpp"
#include "domain/state_report.hpp"
#include "plexsphere/sdk/store.hpp"

namespace plexsphere::mesh {

// Both calls require that the transaction holds the Node as ReportingPeers::hold does: that is what
// makes the quota exact.
class ReportStore {
 public:
  sdk::Status declare(const sdk::Store& store);

  // When it was stored, by the database's clock; nothing when the key is new and the Node has
  // `quota` reports already.
  sdk::Result<std::optional<Time>> put(const sdk::Transaction& tx, const sdk::Uuid& node_id,
                                       const StateReport& report, std::int64_t quota) const;
  // Whether there was one.
  sdk::Result<bool> remove(const sdk::Transaction& tx, const sdk::Uuid& node_id,
                           std::string_view key) const;

 private:
  sdk::Statement put_, remove_;
};

}  // namespace plexsphere::mesh
