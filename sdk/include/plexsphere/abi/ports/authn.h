/* px.authn/1: who presents this credential? Provided by identity, asked by the host. */
#ifndef PLEXSPHERE_ABI_PORTS_AUTHN_H
#define PLEXSPHERE_ABI_PORTS_AUTHN_H

#include "plexsphere/abi/router.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { PX_ACCEPT_OPERATOR = 1, PX_ACCEPT_NODE = 2 };

typedef struct px_credential {
  uint32_t struct_size;
  uint32_t accepts; /* PX_ACCEPT_…: which kinds the route takes */
  px_str bearer;    /* the Authorization header after "Bearer ", or empty */
  px_str remote_ip;
} px_credential;

/* `principal` is null unless status is PX_OK, and lives for the call.
 * PX_UNAUTHENTICATED: refused with certainty; reason is the 401's code ("unauthenticated",
 * "unauthorized", "nsk_invalid", "nsk_revoked"). PX_UNAVAILABLE and anything else: not known, 503;
 * never to be shown as a 401, since agents throw a refused credential away. */
typedef void (*px_authn_done)(void* ctx, px_status status, px_str reason,
                              const px_principal* principal);

typedef struct px_authn {
  px_table base;
  /* Calls `done` exactly once, from any thread, perhaps before it returns. Copies what it keeps.
   * [worker] */
  void (*authenticate)(void* self, const px_credential* credential, px_authn_done done, void* ctx);
} px_authn;

#ifdef __cplusplus
}
#endif
#endif
