// Which Resources live Nodes stand on, written from identity's events before their transaction
// commits:
//
//   tenancy.NodeRegistered     node_id, resource_id
//   tenancy.NodeDeregistered   node_id
//
// Thread safety: subscribed at configure, then called from any thread in other contexts'
// transactions. Lives until the process ends.
#pragma once

#include <span>

#include "plexsphere/sdk/outbox.hpp"
#include "plexsphere/sdk/store.hpp"

namespace plexsphere::tenancy {

class NodeProjection {
 public:
  // [init] The host keeps a pointer to this.
  sdk::Status declare(const sdk::Store& store);
  sdk::Status subscribe(const sdk::Outbox& outbox);

 private:
  using Events = std::span<const px_event* const>;

  sdk::Status registered(px_tx* tx, Events events) const;
  sdk::Status deregistered(px_tx* tx, Events events) const;

  sdk::Store store_;
  sdk::Statement registered_;
  sdk::Statement deregistered_;
};

}  // namespace plexsphere::tenancy
