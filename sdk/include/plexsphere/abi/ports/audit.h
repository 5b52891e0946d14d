/* px.audit/1: the platform audit log. Provided by audit. Frozen: it will only grow.
 *
 * A row that belongs to a change is staged into the change's transaction and commits with it. A
 * decision without a change is recorded by itself; the answer waits for it. Names only, never
 * values or secrets, except `subject_id`, `remote_ip` and `user_agent`, which are kept erasable.
 * Records of Node-side audit (observability) are another type and another service, on purpose. */
#ifndef PLEXSPHERE_ABI_PORTS_AUDIT_H
#define PLEXSPHERE_ABI_PORTS_AUDIT_H

#include "plexsphere/abi/ports/authz.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef int32_t px_chain;
enum {
  PX_CHAIN_RESOLVE = 0, /* find the Domains of (subject, object); refuse if there are none */
  PX_CHAIN_DOMAIN = 1,  /* the Domain in `domain_id` */
  PX_CHAIN_PLATFORM = 2 /* residency of what no Domain owns; never a fallback */
};

typedef struct px_audit_entry {
  uint32_t struct_size;
  px_chain chain;
  px_uuid domain_id;
  px_reason reason;
  int32_t subject_scope_platform; /* 1: the subject belongs to no Domain */
  px_str subject_type;            /* "user", "service-identity", "node", "system" */
  px_str subject_id;              /* uuid text, or a job's name for "system" */
  px_uuid subject_domain_id;      /* all zero for platform scope */
  px_str relation;                /* the action: "domain.create", "bootstrap_token.consume", or the
                                     relation that was checked */
  px_str object_type;
  px_str object_id;
  const px_str* relation_path;
  uint64_t relation_path_count;
  const px_pair* caveat_names; /* caveat → parameter names, comma separated; no values */
  uint64_t caveat_name_count;
  px_str correlation_id;
  px_str remote_ip;
  px_str user_agent;
} px_audit_entry;

typedef void (*px_audit_done)(void* ctx, px_status status, px_str reason);

/* Yields the Domains that own the object: none, one or several. `ids` has room for `capacity`.
 * Blocking allowed. [worker] */
typedef px_status (*px_audit_resolver)(void* ctx, px_str object_id, px_uuid* ids, uint64_t capacity,
                                       uint64_t* count, px_error* err);

typedef struct px_audit {
  px_table base;
  /* Copies the entry; it is appended to its chain just before `tx` commits. `chain` must not be
   * PX_CHAIN_RESOLVE: a change knows what it changes. [worker] */
  px_status (*stage)(void* self, px_tx* tx, const px_audit_entry* entry, px_error* err);
  /* Copies the entry, appends it in a batch, calls `done` once it is durable, from any thread.
   * PX_FAILED_PRECONDITION "domain_unresolved", PX_UNAVAILABLE "audit_unavailable". [any] */
  void (*record)(void* self, const px_audit_entry* entry, px_audit_done done, void* ctx);
  /* Who owns objects of this type. One resolver a type. [init] */
  px_status (*resolve_with)(void* self, px_str object_type, px_audit_resolver resolver, void* ctx,
                            px_error* err);
} px_audit;

#ifdef __cplusplus
}
#endif
#endif
