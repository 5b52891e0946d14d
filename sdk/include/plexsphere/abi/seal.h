/* px.seal/1: encryption of secrets at rest under wrap keys that the host keeps.
 *
 * Wrap keys are random AES-256 keys, one active per (plugin, scope), versioned, themselves wrapped
 * under the deployment's root key, which is never in the database. A sealed blob is
 * nonce (12) ‖ ciphertext ‖ tag (16), AES-256-GCM (NIST SP 800-38D); its additional data binds
 * plugin, scope, wrap-key id and the caller's `aad`, so a blob cannot be moved elsewhere. */
#ifndef PLEXSPHERE_ABI_SEAL_H
#define PLEXSPHERE_ABI_SEAL_H

#include "plexsphere/abi/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What `seal` yields. The holder calls `release` once; views are valid until then. */
typedef struct px_sealed {
  uint32_t struct_size;
  int32_t wrap_key_version;
  px_uuid wrap_key_id; /* store it beside the blob */
  px_bytes blob;
  void* self;
  void (*release)(void* self);
} px_sealed;

typedef struct px_seal {
  px_table base;
  /* `scope` is 1..128 bytes, e.g. "domain:<uuid>"; `plaintext` 1..65,536 bytes. Makes the scope's
   * first wrap key when there is none, in a transaction of its own. Call it outside transactions.
   * [worker] */
  px_status (*seal)(void* self, px_str scope, px_bytes aad, px_bytes plaintext, px_sealed* out,
                    px_error* err);
  /* PX_NOT_FOUND: no such wrap key. PX_DATA_LOSS: the blob, scope or aad is not what was sealed.
   * [worker] */
  px_status (*unseal)(void* self, px_str scope, px_uuid wrap_key_id, px_bytes aad, px_bytes blob,
                      px_secret* out, px_error* err);
  /* A 32-byte key derived from the root key for this plugin and `label` (HKDF-SHA256, RFC 5869):
   * the same in every replica, for tags and cursors that no DBA may forge. [worker] */
  px_status (*derive_key)(void* self, px_str label, px_secret* out, px_error* err);
} px_seal;

#ifdef __cplusplus
}
#endif
#endif
