// UUIDs: version 7 for every id the host makes (RFC 9562, section 5.7).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace plexsphere::host {

using UuidBytes = std::array<std::uint8_t, 16>;

// A new UUIDv7: milliseconds since 1970, then random bits from the kernel. Safe from any thread.
UuidBytes make_uuid7();
// Lower-case text, 36 characters.
std::string to_text(const UuidBytes& uuid);
std::string make_uuid7_text();

// Accepts exactly the 8-4-4-4-12 form, either case, any version.
std::optional<UuidBytes> parse_uuid(std::string_view text);
bool is_nil(const UuidBytes& uuid);

}  // namespace plexsphere::host
