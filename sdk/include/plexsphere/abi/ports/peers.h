/* px.peers/1: who else is in the mesh. Provided by mesh. */
#ifndef PLEXSPHERE_ABI_PORTS_PEERS_H
#define PLEXSPHERE_ABI_PORTS_PEERS_H

#include "plexsphere/abi/store.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Views live for the call. */
typedef struct px_peer {
  uint32_t struct_size;
  uint32_t reserved;
  px_uuid node_id;
  px_str mesh_ip;
  px_str public_key;        /* base64 of 32 bytes */
  px_str fallback_endpoint; /* empty: none */
} px_peer;

typedef struct px_peers {
  px_table base;
  /* Every live peer of the Domain but `except`, by ascending node id, read in the caller's
   * transaction. [worker] */
  px_status (*snapshot)(void* self, px_tx* tx, px_uuid domain_id, px_uuid except, void* ctx,
                        void (*each)(void* ctx, const px_peer* peer), px_error* err);
} px_peers;

#ifdef __cplusplus
}
#endif
#endif
