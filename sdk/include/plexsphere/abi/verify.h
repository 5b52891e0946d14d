/* px.verify/1: is this a signature by that public key?
 *
 * The digital signatures of JSON Web Algorithms (RFC 7518, 3.3 to 3.5; RFC 8037, 3.1), for contexts
 * that take assertions signed by others. Nothing here can sign. The core offers it, the signer does
 * not. */
#ifndef PLEXSPHERE_ABI_VERIFY_H
#define PLEXSPHERE_ABI_VERIFY_H

#include "plexsphere/abi/base.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef int32_t px_key_type;
enum {
  PX_KEY_RSA = 1,    /* a: modulus, 2048 to 8192 bits; b: public exponent, odd, 3 to 2^32 - 1 */
  PX_KEY_P256 = 2,   /* a: x, b: y, 32 bytes each */
  PX_KEY_P384 = 3,   /* 48 bytes each */
  PX_KEY_P521 = 4,   /* 66 bytes each */
  PX_KEY_ED25519 = 5 /* a: the public key, 32 bytes; b: empty */
};

/* A public key, as the members of a JSON Web Key decode (RFC 7518, 6; RFC 8037, 2): big-endian. */
typedef struct px_public_verification_key {
  uint32_t struct_size;
  px_key_type type;
  px_bytes a;
  px_bytes b;
} px_public_verification_key;

typedef struct px_verify {
  px_table base;
  /* `algorithm` is RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512 or EdDSA; for
   * ES… the signature is r ‖ s. PX_OK: it is. PX_UNAUTHENTICATED "signature_invalid": it is not.
   * PX_INVALID_ARGUMENT "key_invalid": the key is malformed, outside the bounds above, or of a type
   * that the algorithm does not take. PX_UNIMPLEMENTED "algorithm_unknown". [any], some 100 us. */
  px_status (*verify)(void* self, px_str algorithm, const px_public_verification_key* key,
                      px_bytes message, px_bytes signature, px_error* err);
} px_verify;

#ifdef __cplusplus
}
#endif
#endif
