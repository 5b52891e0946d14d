/* px.tenancy/1: Domains, Projects and Resources, for other contexts. Provided by tenancy. */
#ifndef PLEXSPHERE_ABI_PORTS_TENANCY_H
#define PLEXSPHERE_ABI_PORTS_TENANCY_H

#include "plexsphere/abi/store.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Where a Resource lives. Views live until the holder calls release, once. */
typedef struct px_placement {
  uint32_t struct_size;
  uint32_t reserved;
  px_uuid domain_id;
  px_uuid project_id;
  px_uuid resource_id;
  px_str resource_kind; /* "vm", "bridge", … */
  px_str resource_handle;
  px_str mesh_cidr;      /* of the Domain */
  px_str sub_range_cidr; /* of the Project; empty: none reserved */
  void* self;
  void (*release)(void* self);
} px_placement;

/* Durations in milliseconds. */
typedef struct px_reachability_policy {
  uint32_t struct_size;
  uint32_t reserved;
  int64_t heartbeat_interval_ms;
  int64_t stale_after_ms;
  int64_t unreachable_after_ms;
} px_reachability_policy;

typedef struct px_tenancy {
  px_table base;
  /* The Domain of a Project. PX_NOT_FOUND "project_not_found". [worker] */
  px_status (*project_domain)(void* self, px_uuid project_id, px_uuid* domain_id, px_error* err);
  /* Finds a Resource of the Project: by id if `resource_id` is not all zero, else by its handle
   * (external_ref, or the id as text). PX_NOT_FOUND "resource_not_found" or "project_not_found".
   * [worker] */
  px_status (*find_resource)(void* self, px_uuid project_id, px_str handle, px_uuid resource_id,
                             px_placement* out, px_error* err);
  /* As found by find_resource, read again and kept from being deleted until `tx` ends. PX_NOT_FOUND
   * if it went away meanwhile. [worker] */
  px_status (*pin_resource)(void* self, px_tx* tx, px_uuid resource_id, px_placement* out,
                            px_error* err);
  /* PX_NOT_FOUND "domain_not_found". [worker] */
  px_status (*reachability_policy)(void* self, px_uuid domain_id, px_reachability_policy* out,
                                   px_error* err);
} px_tenancy;

#ifdef __cplusplus
}
#endif
#endif
