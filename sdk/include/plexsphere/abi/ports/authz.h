/* px.authz/1: relation-based access control. Provided by authz. */
#ifndef PLEXSPHERE_ABI_PORTS_AUTHZ_H
#define PLEXSPHERE_ABI_PORTS_AUTHZ_H

#include "plexsphere/abi/store.h"

#ifdef __cplusplus
extern "C" {
#endif

/* "user:<uuid>", "service-identity:<uuid>", "node:<uuid>", "group:<uuid>#member" split up. The
 * platform is the object type "platform" with id "plexsphere". */
typedef struct px_reference {
  px_str type;
  px_str id;
  px_str relation; /* of a subject set; empty otherwise */
} px_reference;

typedef struct px_tuple {
  px_reference object;
  px_str relation;
  px_reference subject;
} px_tuple;

typedef struct px_check {
  uint32_t struct_size;
  uint32_t reserved;
  px_reference subject;
  px_str permission; /* relation or permission of the object's type */
  px_reference object;
  px_str remote_ip; /* for caveats */
} px_check;

/* Why, in the contract's words. */
typedef int32_t px_reason;
enum {
  PX_REASON_GRANTED = 0,
  PX_REASON_OUT_OF_SCOPE = 1, /* the subject is bound to nothing at all */
  PX_REASON_INSUFFICIENT_RELATION = 2,
  PX_REASON_CAVEAT_VIOLATION = 3,
  PX_REASON_UNKNOWN = 4
};

typedef struct px_decision {
  uint32_t struct_size;
  px_reason reason;            /* granted or the cause of denial */
  const px_str* relation_path; /* walk order, "domain:<id>#admin"; empty when denied */
  uint64_t relation_path_count;
} px_decision;

/* `decision` is null unless status is PX_OK. Anything else is no answer, and nothing is granted. */
typedef void (*px_authz_done)(void* ctx, px_status status, const px_decision* decision);

typedef struct px_authz {
  px_table base;
  /* Calls `done` exactly once, from any thread, perhaps before it returns. [worker] */
  void (*check)(void* self, const px_check* check, px_authz_done done, void* ctx);
  /* For filtered lists: allowed[i] becomes 1 or 0 for objects of one type. [worker] */
  px_status (*filter)(void* self, px_reference subject, px_str permission, px_str object_type,
                      const px_str* object_ids, uint64_t count, uint8_t* allowed, px_error* err);
  /* Adds tuples in the caller's transaction; one that exists already stays. [worker] */
  px_status (*write)(void* self, px_tx* tx, const px_tuple* tuples, uint64_t count, px_error* err);
  /* Removes every tuple on or of the object in the caller's transaction. [worker] */
  px_status (*remove_object)(void* self, px_tx* tx, px_reference object, px_error* err);
} px_authz;

#ifdef __cplusplus
}
#endif
#endif
