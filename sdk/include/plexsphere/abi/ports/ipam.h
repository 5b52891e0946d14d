/* px.ipam/1: mesh addresses. Provided by mesh. */
#ifndef PLEXSPHERE_ABI_PORTS_IPAM_H
#define PLEXSPHERE_ABI_PORTS_IPAM_H

#include "plexsphere/abi/store.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct px_ipam {
  px_table base;
  /* Takes an address for the Node in the caller's transaction: from `sub_range_cidr` alone when it
   * is not empty, else from `mesh_cidr`. Writes canonical text into `buffer` (at least 46 bytes).
   * PX_RESOURCE_EXHAUSTED "pool_exhausted" or "subrange_exhausted"; PX_UNAVAILABLE
   * "allocator_contention" when the Domain's lock was not won in time. The lock is held until the
   * transaction ends. An allocation that fills a pool past 80 or 95 percent appends an event, so
   * the caller must itself be allowed to emit some. [worker] */
  px_status (*allocate)(void* self, px_tx* tx, px_uuid domain_id, px_str mesh_cidr,
                        px_str sub_range_cidr, px_uuid node_id, char* buffer, uint64_t capacity,
                        uint64_t* length, px_error* err);
  /* Gives the Node's address back, into its cool-down, in the caller's transaction. Takes the same
   * lock; PX_UNAVAILABLE "lock_timeout" when it was not won in time. [worker] */
  px_status (*release)(void* self, px_tx* tx, px_uuid node_id, px_error* err);
} px_ipam;

#ifdef __cplusplus
}
#endif
#endif
