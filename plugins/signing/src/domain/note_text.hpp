// What checkpoint notes and restore statements are spelled with. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace plexsphere::signing {

// Decimal of at most 18 digits without leading zeros.
[[nodiscard]] std::optional<std::uint64_t> parse_decimal(std::string_view text);

// In the one spelling that 32 bytes have.
[[nodiscard]] bool is_base64_of_32_bytes(std::string_view text);

// ASCII from space to tilde, and newlines.
[[nodiscard]] bool is_plain_text(std::string_view text);

// Up to the newline, which is taken away as well.
[[nodiscard]] std::string_view take_line(std::string_view& rest);

}  // namespace plexsphere::signing
