// px.ipam/1 in C++: the consumer's wrapper. The provider implements the C table itself.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "plexsphere/abi/ports/ipam.h"
#include "plexsphere/sdk/store.hpp"

namespace plexsphere::sdk::inline v1 {

class Ipam {
 public:
  static constexpr std::string_view kName = "px.ipam/1";
  using Wire = px_ipam;
  Ipam() = default;
  explicit Ipam(const px_ipam* table) : table_(table) {}

  // Canonical address text.
  Result<std::string> allocate(const Transaction& tx, const Uuid& domain_id,
                               std::string_view mesh_cidr, std::string_view sub_range_cidr,
                               const Uuid& node_id) const {
    std::array<char, 64> buffer;
    uint64_t length = 0;
    ErrorSink sink;
    const px_status s = table_->allocate(
        table_->base.self, tx.wire(), domain_id.wire(), to_wire(mesh_cidr), to_wire(sub_range_cidr),
        node_id.wire(), buffer.data(), buffer.size(), &length, sink.wire());
    return s == PX_OK ? Result<std::string>(std::string(buffer.data(), length))
                      : std::move(sink).error(s);
  }
  Status release(const Transaction& tx, const Uuid& node_id) const {
    ErrorSink sink;
    return std::move(sink).outcome(
        table_->release(table_->base.self, tx.wire(), node_id.wire(), sink.wire()));
  }

 private:
  const px_ipam* table_ = nullptr;
};

}  // namespace plexsphere::sdk::inline v1
