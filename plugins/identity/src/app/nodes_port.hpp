// px.nodes/1: what other contexts may ask about a Node. Any thread; blocks on the database.
#pragma once

#include "plexsphere/abi/ports/nodes.h"
#include "store/node_store.hpp"

namespace plexsphere::identity {

// Lives as long as its plugin; the table points at it.
class NodesPort {
 public:
  explicit NodesPort(const NodeStore& nodes)
      : nodes_(nodes), table_{{sizeof(px_nodes), 1, this}, &NodesPort::find} {}
  NodesPort(const NodesPort&) = delete;
  NodesPort& operator=(const NodesPort&) = delete;

  const px_table* table() const { return &table_.base; }

 private:
  static px_status find(void* self, px_uuid node_id, px_node* out, px_error* err) noexcept {
    return sdk::guard(err, [&]() -> sdk::Status {
      auto found = static_cast<NodesPort*>(self)->nodes_.find(sdk::Uuid(node_id));
      if (!found.ok()) {
        return found.error();
      }
      out->deregistered = found->deregistered ? 1 : 0;
      out->node_id = found->id.wire();
      out->domain_id = found->domain_id.wire();
      out->project_id = found->project_id.wire();
      out->resource_id = found->resource_id.wire();
      return {};
    });
  }

  const NodeStore& nodes_;
  px_nodes table_;
};

}  // namespace plexsphere::identity
