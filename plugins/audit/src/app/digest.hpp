// The hashes of the audit log: SHA-256 (FIPS 180-4) by libsodium. Pure, any thread.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "plexsphere/sdk/status.hpp"

namespace plexsphere::audit {

inline constexpr std::size_t kSaltSize = 16;
inline constexpr std::size_t kPepperSize = 32;

// 32 raw bytes.
[[nodiscard]] std::string sha256(std::string_view bytes);
// sha256(prev ‖ sha256(canonical)).
[[nodiscard]] std::string entry_hash(std::string_view prev, std::string_view canonical);

// What of a subject goes into its pseudonym, 16 bytes: a UUID's own bytes; of a job ("system") the
// first half of the hash of its name; zeros for the anonymous. INVALID_ARGUMENT "invalid_subject"
// for another type whose id is no UUID.
[[nodiscard]] sdk::Result<std::string> subject_bytes(std::string_view type, std::string_view id);

// The same of a person who is the object of an entry: a UUID's own bytes, as when they are the
// subject; of another text the first half of its hash.
[[nodiscard]] std::string person_bytes(std::string_view id);

// sha256(pepper ‖ subject): both of fixed size, so no two pairs collide.
[[nodiscard]] std::string pseudonym(std::string_view pepper, std::string_view subject);

// An address as 16 bytes, IPv4 as mapped (RFC 4291 §2.5.5.2), and its usual text. Both empty
// when `text` is no address.
struct Address {
  std::string bytes;
  std::string text;
};
[[nodiscard]] Address parse_address(const std::string& text);

// sha256(salt ‖ address ‖ user agent): salt and address are of fixed size (zeros for an unknown
// address), so the boundary to the user agent cannot be moved.
[[nodiscard]] std::string context_hash(std::string_view salt, const Address& address,
                                       std::string_view user_agent);

}  // namespace plexsphere::audit
