// Public keys of others, made from the numbers of a JSON Web Key (RFC 7518, 6; RFC 8037, 2).
//
// Thread safety: pure functions, any thread. Ownership: the returned key is the caller's.
// Bounds: RSA moduli of 2048 to 8192 bits and odd exponents of 3 to 2^32 - 1, so that neither a
// weak nor a costly key is taken; a point must lie on its curve.
#pragma once

#include <openssl/evp.h>

#include <cstdint>
#include <memory>
#include <span>

#include "plexsphere/abi/verify.h"

namespace plexsphere::host::verify {

using Bytes = std::span<const std::uint8_t>;

struct FreeKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using PublicKey = std::unique_ptr<EVP_PKEY, FreeKey>;

// Null when the numbers are no key of the type within the bounds. `a` and `b`: see px_key_type.
PublicKey make_public_key(px_key_type type, Bytes a, Bytes b);

}  // namespace plexsphere::host::verify
