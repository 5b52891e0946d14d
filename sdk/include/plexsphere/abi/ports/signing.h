/* px.signing/1: the core's view of the signer. Provided by signing_client.
 *
 * Scopes are "platform" and "domain:<uuid>". Public halves come from the core's own projection and
 * need no signer; everything else answers PX_UNAVAILABLE, reason "signing_unavailable", when the
 * signer is away. */
#ifndef PLEXSPHERE_ABI_PORTS_SIGNING_H
#define PLEXSPHERE_ABI_PORTS_SIGNING_H

#include "plexsphere/abi/base.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef int32_t px_signing_purpose;
/* PX_SIGN_RESTORE: one statement of a restored log, under the key of checkpoints; only what the
 * signer's operator has permitted, else PX_FAILED_PRECONDITION "restore_not_permitted". */
enum { PX_SIGN_EVENT = 1, PX_SIGN_CHECKPOINT = 2, PX_SIGN_RESTORE = 3 };

/* Ed25519 (RFC 8032) public key. */
typedef struct px_public_key {
  uint32_t struct_size;
  uint8_t key[32];
  uint8_t reserved[4];
  px_str key_id; /* [A-Za-z0-9:#._/-]{1,128}; lives for the call that yields it */
} px_public_key;

typedef struct px_signature {
  uint8_t bytes[64]; /* pure Ed25519 over the message, nothing added */
} px_signature;

/* `signatures` is null unless PX_OK; one for each message, in order; `key` is the one that signed.
 */
typedef void (*px_sign_done)(void* ctx, px_status status, px_str reason, const px_public_key* key,
                             const px_signature* signatures, uint64_t count);
typedef void (*px_rotation_done)(void* ctx, px_status status, px_str reason,
                                 const px_public_key* new_key);

/* What the signer signed last of a scope's log. */
typedef struct px_last_checkpoint {
  uint32_t struct_size;
  uint8_t root[32]; /* undefined while size is 0 and nothing was signed */
  uint8_t
      restore[32];  /* SHA-256 of the statement that began the epoch; zeros: none, or not known */
  uint8_t has_root; /* 0: no checkpoint was signed yet */
  uint8_t reserved[3];
  uint64_t size;
  uint64_t epoch; /* from 1; 0: the signer remembers nothing and believes the next checkpoint */
} px_last_checkpoint;
/* `last` is null unless PX_OK. */
typedef void (*px_last_checkpoint_done)(void* ctx, px_status status, px_str reason,
                                        const px_last_checkpoint* last);

typedef struct px_signing {
  px_table base;
  /* The key that signs new messages of the scope: copied into *out, its id into `id_buffer` (at
   * least 128 bytes), which out->key_id then views. PX_NOT_FOUND: the scope has no key.
   * PX_UNAVAILABLE "signing_unavailable": not known now. [worker] */
  px_status (*active_key)(void* self, px_str scope, px_signing_purpose purpose, px_public_key* out,
                          char* id_buffer, uint64_t id_capacity, px_error* err);
  /* Signs up to 256 messages, each of up to 60 KiB and together of up to 2 MiB, with one key; an
   * empty key id takes the active one. `done` once, from any thread. [any] */
  void (*sign)(void* self, px_str scope, px_signing_purpose purpose, px_str key_id,
               const px_bytes* messages, uint64_t count, px_sign_done done, void* ctx);
  /* On a scope without keys: makes its first, active at once. Otherwise opens a rotation to
   * a new key. Call it outside transactions. `done` once, from any thread, after the core's
   * projection has been stored. [any] */
  void (*open_rotation)(void* self, px_str scope, px_rotation_done done, void* ctx);
  void (*close_rotation)(void* self, px_str scope, px_rotation_done done, void* ctx);
  /* Asks the signer itself. `done` once, from any thread. [any] */
  void (*last_checkpoint)(void* self, px_str scope, px_last_checkpoint_done done, void* ctx);
} px_signing;

#ifdef __cplusplus
}
#endif
#endif
