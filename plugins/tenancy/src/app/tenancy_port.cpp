#include "app/tenancy_port.hpp"

#include <memory>
#include <utility>

#include "plexsphere/sdk/ports/tenancy.hpp"

namespace plexsphere::tenancy {
namespace {

using sdk::Uuid;

Services& services_of(void* self) {
  return *static_cast<Services*>(self);
}

// The holder's release frees the copy that the views look at.
sdk::Status hand_out(sdk::Result<sdk::Placement> found, px_placement* out) {
  if (!found.ok()) {
    return found.error();
  }
  auto kept = std::make_unique<sdk::Placement>(std::move(*found));
  out->domain_id = kept->domain_id.wire();
  out->project_id = kept->project_id.wire();
  out->resource_id = kept->resource_id.wire();
  out->resource_kind = sdk::to_wire(kept->resource_kind);
  out->resource_handle = sdk::to_wire(kept->resource_handle);
  out->mesh_cidr = sdk::to_wire(kept->mesh_cidr);
  out->sub_range_cidr = sdk::to_wire(kept->sub_range_cidr);
  out->self = kept.release();
  out->release = [](void* self) { delete static_cast<sdk::Placement*>(self); };
  return {};
}

}  // namespace

TenancyPort::TenancyPort(Services& services)
    : table_{{sizeof(px_tenancy), 1, &services},
             &project_domain,
             &find_resource,
             &pin_resource,
             &reachability_policy} {}

px_status TenancyPort::project_domain(void* self, px_uuid project, px_uuid* out,
                                      px_error* err) noexcept {
  return sdk::guard(err, [&]() -> sdk::Status {
    const auto domain = services_of(self).projects.domain_of(Uuid(project));
    if (!domain.ok()) {
      return domain.error();
    }
    *out = domain->wire();
    return {};
  });
}

px_status TenancyPort::find_resource(void* self, px_uuid project, px_str handle, px_uuid resource,
                                     px_placement* out, px_error* err) noexcept {
  return sdk::guard(err, [&] {
    return hand_out(
        services_of(self).resources.place(Uuid(project), sdk::view(handle), Uuid(resource)), out);
  });
}

px_status TenancyPort::pin_resource(void* self, px_tx* tx, px_uuid resource, px_placement* out,
                                    px_error* err) noexcept {
  return sdk::guard(
      err, [&] { return hand_out(services_of(self).resources.pin(tx, Uuid(resource)), out); });
}

px_status TenancyPort::reachability_policy(void* self, px_uuid domain, px_reachability_policy* out,
                                           px_error* err) noexcept {
  return sdk::guard(err, [&]() -> sdk::Status {
    const auto found = services_of(self).domains.find(Uuid(domain));
    if (!found.ok()) {
      return found.error();
    }
    out->heartbeat_interval_ms = found->reachability.heartbeat_interval.count();
    out->stale_after_ms = found->reachability.stale_after.count();
    out->unreachable_after_ms = found->reachability.unreachable_after.count();
    return {};
  });
}

}  // namespace plexsphere::tenancy
