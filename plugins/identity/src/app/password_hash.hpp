// Argon2id (RFC 9106) of bootstrap tokens, as PHC strings. Slow and memory-hard on purpose: call it
// on the proof lane only. Immutable, any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "plexsphere/sdk/status.hpp"

namespace plexsphere::identity {

class PasswordHash {
 public:
  // One lane, 16-byte salt, 32-byte tag. OWASP's second choice, 19,456 KiB and 2 passes, is the
  // configured default; below 8 KiB or one pass libsodium refuses.
  PasswordHash(std::uint64_t memory_kib, std::uint64_t passes)
      : memory_bytes_(memory_kib * 1024), passes_(passes) {}

  // RESOURCE_EXHAUSTED when the memory cannot be had.
  sdk::Result<std::string> hash(std::string_view secret) const;
  // At the cost that the stored string names.
  static bool verify(const std::string& stored, std::string_view secret);

 private:
  std::uint64_t memory_bytes_;
  std::uint64_t passes_;
};

}  // namespace plexsphere::identity
