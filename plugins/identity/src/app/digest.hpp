// SHA-256 (FIPS 180-4) of credentials that carry 256 bits of entropy themselves, and of nonces.
#pragma once

#include <sodium.h>

#include <array>
#include <string>
#include <string_view>

namespace plexsphere::identity {

inline std::string sha256(std::string_view bytes) {
  std::array<unsigned char, crypto_hash_sha256_BYTES> out;
  crypto_hash_sha256(out.data(), reinterpret_cast<const unsigned char*>(bytes.data()),
                     bytes.size());
  return {reinterpret_cast<const char*>(out.data()), out.size()};
}

}  // namespace plexsphere::identity
