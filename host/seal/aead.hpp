// AES-256-GCM (NIST SP 800-38D) in the form nonce (12) ‖ ciphertext ‖ tag (16).
//
// Thread safety: pure functions. Nonces are random; one key serves at most 2^32 messages.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "host/seal/secret_bytes.hpp"

namespace plexsphere::host::seal {

inline constexpr std::size_t kNonceBytes = 12;
inline constexpr std::size_t kTagBytes = 16;

using Bytes = std::span<const std::uint8_t>;

// Requires a 32-byte key. Throws std::runtime_error if the library fails.
[[nodiscard]] std::vector<std::uint8_t> aead_seal(Bytes key, Bytes additional, Bytes plaintext);
// Nullopt when the blob is not what was sealed under this key with this additional data.
[[nodiscard]] std::optional<SecretBytes> aead_open(Bytes key, Bytes additional, Bytes blob);

// Joins parts so that no two different lists give the same bytes: each behind its length.
class AdditionalData {
 public:
  explicit AdditionalData(std::string_view purpose) { add(purpose); }
  AdditionalData& add(std::string_view part);
  AdditionalData& add(Bytes part);
  [[nodiscard]] Bytes bytes() const { return bytes_; }

 private:
  std::vector<std::uint8_t> bytes_;
};

}  // namespace plexsphere::host::seal
