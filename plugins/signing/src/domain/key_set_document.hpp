// The canonical text of a key set: what the signer signs and the core keeps.
//
//   plexsphere-key-set v1
//   scope domain:0190a8b8-a0c0-7a0a-8a0a-a0a0a0a0a0a3
//   number 2
//   rotation k-old k-new 1767225600 1767830400
//   key k-old rotating 1735689600 0 <hex events key> <hex checkpoints key>
//   key k-new active 1767225600 0 <hex> <hex>
//
// One space between words, one newline after each line, keys in order of creation, times in Unix
// seconds, 0 for "not yet", `rotation` only while one is open. One set has exactly one spelling:
// parsing refuses every text that would not be written the same way again.
#pragma once

#include <string>
#include <string_view>

#include "domain/key_set.hpp"

namespace plexsphere::signing {

inline constexpr std::size_t kMaxDocumentBytes = 64 * 1024;

// Requires a set with at least one key.
[[nodiscard]] std::string encode_key_set(const KeySet& set);

// Bounded by kMaxDocumentBytes; anything not canonical is a rejected key set.
[[nodiscard]] Outcome<KeySet> parse_key_set(std::string_view document);

}  // namespace plexsphere::signing
