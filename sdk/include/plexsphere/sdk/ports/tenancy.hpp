// px.tenancy/1 in C++: the consumer's wrapper. The provider implements the C table itself.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "plexsphere/abi/ports/tenancy.h"
#include "plexsphere/sdk/store.hpp"

namespace plexsphere::sdk::inline v1 {

// Where a Resource lives.
struct Placement {
  Uuid domain_id;
  Uuid project_id;
  Uuid resource_id;
  std::string resource_kind;
  std::string resource_handle;
  std::string mesh_cidr;
  std::string sub_range_cidr;  // empty: none
};

struct ReachabilityPolicy {
  std::chrono::milliseconds heartbeat_interval;
  std::chrono::milliseconds stale_after;
  std::chrono::milliseconds unreachable_after;
};

class Tenancy {
 public:
  static constexpr std::string_view kName = "px.tenancy/1";
  using Wire = px_tenancy;
  Tenancy() = default;
  explicit Tenancy(const px_tenancy* table) : table_(table) {}

  Result<Uuid> project_domain(const Uuid& project_id) const {
    px_uuid out{};
    ErrorSink sink;
    const px_status s =
        table_->project_domain(table_->base.self, project_id.wire(), &out, sink.wire());
    return s == PX_OK ? Result<Uuid>(Uuid(out)) : std::move(sink).error(s);
  }

  // By id if it is not zero, else by handle.
  Result<Placement> find_resource(const Uuid& project_id, std::string_view handle,
                                  const Uuid& resource_id) const {
    px_placement out{};
    out.struct_size = sizeof out;
    ErrorSink sink;
    return take(table_->find_resource(table_->base.self, project_id.wire(), to_wire(handle),
                                      resource_id.wire(), &out, sink.wire()),
                out, std::move(sink));
  }

  Result<Placement> pin_resource(const Transaction& tx, const Uuid& resource_id) const {
    px_placement out{};
    out.struct_size = sizeof out;
    ErrorSink sink;
    return take(
        table_->pin_resource(table_->base.self, tx.wire(), resource_id.wire(), &out, sink.wire()),
        out, std::move(sink));
  }

  Result<ReachabilityPolicy> reachability_policy(const Uuid& domain_id) const {
    px_reachability_policy out{};
    out.struct_size = sizeof out;
    ErrorSink sink;
    const px_status s =
        table_->reachability_policy(table_->base.self, domain_id.wire(), &out, sink.wire());
    if (s != PX_OK) {
      return std::move(sink).error(s);
    }
    using Ms = std::chrono::milliseconds;
    return ReachabilityPolicy{Ms(out.heartbeat_interval_ms), Ms(out.stale_after_ms),
                              Ms(out.unreachable_after_ms)};
  }

 private:
  static Result<Placement> take(px_status s, px_placement& wire, ErrorSink&& sink) {
    if (s != PX_OK) {
      return std::move(sink).error(s);
    }
    Placement out{Uuid(wire.domain_id),
                  Uuid(wire.project_id),
                  Uuid(wire.resource_id),
                  std::string(view(wire.resource_kind)),
                  std::string(view(wire.resource_handle)),
                  std::string(view(wire.mesh_cidr)),
                  std::string(view(wire.sub_range_cidr))};
    wire.release(wire.self);
    return out;
  }

  const px_tenancy* table_ = nullptr;
};

}  // namespace plexsphere::sdk::inline v1
