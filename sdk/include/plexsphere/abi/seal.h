/* px.seal/1: encryption of secrets at rest under wrap keys that the host keeps.
 *
 * Wrap keys are random AES-256 keys, one active per (plugin, scope), versioned, themselves wrapped
 * under the deployment's root key, which is never in the database. A sealed blob is
 * nonce (12) ‖ ciphertext ‖ tag (16), AES-256-GCM (NIST SP 800-38D); its additional data binds
 * plugin, scope, wrap-key id and the caller's `aad`, so a blob cannot be moved elsewhere.
 *
 * To renew a scope's wrap key: `rotate`, then unseal and seal again every row that names an older
 * version, then, PX_SEAL_SETTLE_MS after the rotation at the earliest and when no row names one,
 * `retire`. Each step may be repeated. A superseded or retired key still opens what names it. */
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

/* Other replicas may seal under a superseded version for this long after a rotation. */
#define PX_SEAL_SETTLE_MS 10000

typedef struct px_wrap_key {
  uint32_t struct_size;
  int32_t version; /* from 1 */
  px_uuid id;
} px_wrap_key;

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

  /* Of hosts since they renew wrap keys: ask PX_HAS(&table->base, px_seal, retire) first. All three
   * read or write the ledger in a transaction of their own: call them outside transactions. */

  /* The version the scope seals under, read anew: in this process nothing is sealed under an older
   * one from now on. PX_NOT_FOUND: nothing was ever sealed there. [worker] */
  px_status (*active)(void* self, px_str scope, px_wrap_key* out, px_error* err);
  /* Makes a new version active if `from_version` is; otherwise changes nothing. `out` is the active
   * version after it, so a caller that died may ask again with the same number. [worker] */
  px_status (*rotate)(void* self, px_str scope, int32_t from_version, px_wrap_key* out,
                      px_error* err);
  /* Notes that nothing names the superseded versions below `version` any more. `count`: how many
   * were not noted so before; may be null. [worker] */
  px_status (*retire)(void* self, px_str scope, int32_t version, uint64_t* count, px_error* err);
} px_seal;

#ifdef __cplusplus
}
#endif
#endif
