// px.tenancy/1 for other contexts. Any worker; blocks on the database. Lives until the process
// ends.
#pragma once

#include "app/services.hpp"
#include "plexsphere/abi/ports/tenancy.h"

namespace plexsphere::tenancy {

class TenancyPort {
 public:
  // [init] `services` must outlive this.
  explicit TenancyPort(Services& services);
  TenancyPort(const TenancyPort&) = delete;
  TenancyPort& operator=(const TenancyPort&) = delete;

  const px_table* table() const { return &table_.base; }

 private:
  static px_status project_domain(void* self, px_uuid project, px_uuid* out,
                                  px_error* err) noexcept;
  static px_status find_resource(void* self, px_uuid project, px_str handle, px_uuid resource,
                                 px_placement* out, px_error* err) noexcept;
  static px_status pin_resource(void* self, px_tx* tx, px_uuid resource, px_placement* out,
                                px_error* err) noexcept;
  static px_status reachability_policy(void* self, px_uuid domain, px_reachability_policy* out,
                                       px_error* err) noexcept;

  px_tenancy table_;
};

}  // namespace plexsphere::tenancy
