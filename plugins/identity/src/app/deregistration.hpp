// The end of a Node: by its own key, or by an operator.
//
// One transaction: the Node's row ends, its live key is revoked, its address goes back to its pool
// to cool down, its relation tuples go, other contexts are told (tenancy.NodeDeregistered), and the
// audit row is written. The row itself stays.
// A replay of its registration waits on the same row lock, so one of the two comes first and the
// other sees it.
//
// Thread safety: any thread, after configure. Blocks.
#pragma once

#include <functional>
#include <string_view>

#include "app/token_service.hpp"
#include "plexsphere/sdk/outbox.hpp"
#include "plexsphere/sdk/ports/ipam.hpp"
#include "store/node_store.hpp"

namespace plexsphere::identity {

struct DeregistrationPorts {
  sdk::Store store;
  sdk::Outbox outbox;
  sdk::Clock clock;
  sdk::Log log;
  sdk::Audit audit;
  sdk::Authz authz;
  sdk::Ipam ipam;
};

class Deregistration {
 public:
  // Drops what this process remembers of a Node's keys.
  using Forget = std::function<void(const sdk::Uuid& node_id)>;

  Deregistration(DeregistrationPorts ports, const NodeStore& nodes, Forget forget)
      : ports_(std::move(ports)), nodes_(nodes), forget_(std::move(forget)) {}

  // The Node itself, with the key of this generation. UNAUTHENTICATED "nsk_revoked" when that key
  // is not the live one any more: the gate may have seen it a moment ago.
  sdk::Status by_node(const Actor& node, std::int64_t generation, const CallContext& call) const;
  // Ends it, or finds it ended. NOT_FOUND "node_not_found".
  sdk::Status by_operator(const sdk::Uuid& node_id, const Actor& actor,
                          const CallContext& call) const;

 private:
  sdk::Status end(sdk::Transaction& tx, const HeldNode& node, std::int64_t generation,
                  const Actor& actor, const CallContext& call) const;
  sdk::Status tell(const sdk::Transaction& tx, const HeldNode& node, std::int64_t generation,
                   const Actor& actor, const CallContext& call, sdk::Instant now) const;

  DeregistrationPorts ports_;
  const NodeStore& nodes_;
  Forget forget_;
};

}  // namespace plexsphere::identity
