// px.nodes/1 in C++: the consumer's wrapper. The provider implements the C table itself.
#pragma once

#include <string_view>

#include "plexsphere/abi/ports/nodes.h"
#include "plexsphere/sdk/status.hpp"
#include "plexsphere/sdk/uuid.hpp"

namespace plexsphere::sdk::inline v1 {

struct NodePlace {
  Uuid node_id;
  Uuid domain_id;
  Uuid project_id;
  Uuid resource_id;
  bool deregistered = false;
};

class Nodes {
 public:
  static constexpr std::string_view kName = "px.nodes/1";
  using Wire = px_nodes;
  Nodes() = default;
  explicit Nodes(const px_nodes* table) : table_(table) {}

  Result<NodePlace> find(const Uuid& node_id) const {
    px_node out{};
    out.struct_size = sizeof out;
    ErrorSink sink;
    const px_status s = table_->find(table_->base.self, node_id.wire(), &out, sink.wire());
    if (s != PX_OK) {
      return std::move(sink).error(s);
    }
    return NodePlace{Uuid(out.node_id), Uuid(out.domain_id), Uuid(out.project_id),
                     Uuid(out.resource_id), out.deregistered != 0};
  }

 private:
  const px_nodes* table_ = nullptr;
};

}  // namespace plexsphere::sdk::inline v1
