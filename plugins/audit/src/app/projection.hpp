// An entry as it lies in the mirror: an object that proves itself without the database.
//
// JSON (RFC 8259) in UTF-8, no white space, members in this order, compressed by Zstandard (RFC
// 8878):
//
//   {"v":1,"domain_id":"…","seq":7,"prev_hash":"…","entry_hash":"…","canonical_bytes":"…"}
//
// Hashes are 64 lower-case hex digits, canonical bytes are base64. They say what the entry says and
// nothing of what stands beside it: erasure has nothing to do there. Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "store/archive_store.hpp"

namespace plexsphere::audit {

// Far above what the bounds of an entry allow, packed or not.
inline constexpr std::size_t kLargestProjection = 1024 * 1024;

// "audit/<chain>/<seq, 20 digits>.json.zst".
[[nodiscard]] std::string object_key(const sdk::Uuid& chain, std::int64_t seq);

// The compressed object.
[[nodiscard]] std::string to_object(const ArchivedEntry& entry);

// Nothing for what is no such object: damaged, larger than kLargestProjection, another version, or
// with members that do not belong there. Hashes are read, not checked.
[[nodiscard]] std::optional<ArchivedEntry> from_object(std::string_view object);

// Whether the entry is what its hash says and names chain and number itself; what an object alone
// can prove.
[[nodiscard]] bool proves_itself(const ArchivedEntry& entry);

}  // namespace plexsphere::audit
