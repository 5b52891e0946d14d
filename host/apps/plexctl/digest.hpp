// What an offline verifier needs of cryptography, by OpenSSL. Pure, any thread.
#pragma once

#include <string>
#include <string_view>

namespace plexsphere::plexctl {

// SHA-256 (FIPS 180-4): 32 raw bytes.
[[nodiscard]] std::string sha256(std::string_view bytes);

// Whether `signature` (64 bytes) is that of pure Ed25519 (RFC 8032) over `message` by the raw
// 32-byte public key.
[[nodiscard]] bool verify_ed25519(std::string_view public_key, std::string_view message,
                                  std::string_view signature);

}  // namespace plexsphere::plexctl
