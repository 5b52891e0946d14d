// SHA-256 (FIPS 180-4) as the journal and the messages in it are hashed.
//
// Thread safety: pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "app/journal.hpp"

namespace plexsphere::signing {

[[nodiscard]] Sha256 sha256(std::string_view bytes);

// 64 lower-case digits.
[[nodiscard]] std::string hex_of(const Sha256& hash);
// Of 64 such digits, which must have been checked.
[[nodiscard]] Sha256 hash_of(std::string_view hex);

// SHA-256(previous ‖ SHA-256(record)).
[[nodiscard]] Sha256 next_hash(const Sha256& previous, std::string_view record);

// SHA-256 over the concatenated SHA-256 of each message: says which messages were meant without
// holding a byte of them.
[[nodiscard]] Sha256 digest_of(const std::vector<std::string_view>& messages);

}  // namespace plexsphere::signing
