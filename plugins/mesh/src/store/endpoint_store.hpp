// The table of endpoints.
// Thread safety: declare at configure, then any thread; blocks. Times are the database's.
#pragma once

#include <chrono>
#include <vector>

#include "domain/endpoint.hpp"
#include "plexsphere/sdk/store.hpp"

namespace plexsphere::mesh {

struct AcceptedEndpoint {
  Time accepted_at;
  Time stale_after;
  bool moved = false;  // another endpoint than before, or back from stale
};

// An endpoint that nobody has reported again in time.
struct StaleEndpoint {
  sdk::Uuid node_id;
  sdk::Uuid peer_id;
  sdk::Uuid domain_id;
  Time staled_at;
};

class EndpointStore {
 public:
  sdk::Status declare(const sdk::Store& store);

  // Requires: the transaction holds the Node as ReportingPeers::hold does. `endpoint` is canonical.
  sdk::Result<AcceptedEndpoint> put(const sdk::Transaction& tx, const sdk::Uuid& node_id,
                                    const std::string& endpoint, const EndpointReport& report,
                                    std::chrono::milliseconds ttl) const;
  // Marks at most `limit` endpoints that are past their time, the oldest first, and returns them.
  sdk::Result<std::vector<StaleEndpoint>> mark_stale(const sdk::Transaction& tx,
                                                     std::int64_t limit) const;

 private:
  sdk::Statement put_, mark_stale_;
};

}  // namespace plexsphere::mesh
