// UUIDs (RFC 9562): value type, text form, version 7 from the kernel's random source.
#pragma once

#include <sys/random.h>

#include <array>
#include <compare>
#include <cstring>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "plexsphere/abi/base.h"
#include "plexsphere/sdk/encoding.hpp"

namespace plexsphere::sdk::inline v1 {

// Regular value type; all zero means "none".
class Uuid {
 public:
  constexpr Uuid() = default;
  explicit Uuid(px_uuid wire) { std::memcpy(bytes_.data(), wire.b, bytes_.size()); }

  // Exactly 36 characters, 8-4-4-4-12, either case; anything else is nothing.
  static std::optional<Uuid> parse(std::string_view text);
  // Exactly 16 bytes.
  static std::optional<Uuid> from_bytes(std::string_view bytes);
  // `unix_ms` goes into the first 48 bits, so ids made later sort later to the millisecond.
  static Uuid v7(int64_t unix_ms);

  bool is_zero() const { return *this == Uuid{}; }
  std::string text() const;
  std::string_view bytes() const {
    return {reinterpret_cast<const char*>(bytes_.data()), bytes_.size()};
  }
  px_uuid wire() const {
    px_uuid out;
    std::memcpy(out.b, bytes_.data(), bytes_.size());
    return out;
  }
  auto operator<=>(const Uuid&) const = default;

 private:
  std::array<uint8_t, 16> bytes_{};
};

// Fills `out` from getrandom(2). Throws only where the kernel has no random source.
inline void random_bytes(void* out, std::size_t size) {
  auto* at = static_cast<uint8_t*>(out);
  while (size > 0) {
    const ssize_t got = getrandom(at, size, 0);
    if (got <= 0) {
      throw std::runtime_error("getrandom failed");
    }
    at += got;
    size -= static_cast<std::size_t>(got);
  }
}

inline std::optional<Uuid> Uuid::from_bytes(std::string_view bytes) {
  if (bytes.size() != 16) {
    return std::nullopt;
  }
  Uuid out;
  std::memcpy(out.bytes_.data(), bytes.data(), 16);
  return out;
}

inline std::optional<Uuid> Uuid::parse(std::string_view text) {
  if (text.size() != 36) {
    return std::nullopt;
  }
  std::string digits;
  digits.reserve(32);
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash != (text[i] == '-')) {
      return std::nullopt;
    }
    if (!dash) {
      const char c = text[i];
      digits.push_back(c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c);
    }
  }
  const auto bytes = hex_decode(digits);
  return bytes ? from_bytes(*bytes) : std::nullopt;
}

inline std::string Uuid::text() const {
  std::string out = hex_encode(bytes());
  for (const std::size_t at : {8, 13, 18, 23}) {
    out.insert(at, 1, '-');
  }
  return out;
}

inline Uuid Uuid::v7(int64_t unix_ms) {
  Uuid out;
  random_bytes(out.bytes_.data(), out.bytes_.size());
  for (std::size_t i = 0; i < 6; ++i) {
    out.bytes_[i] = static_cast<uint8_t>(static_cast<uint64_t>(unix_ms) >> (8 * (5 - i)));
  }
  out.bytes_[6] = static_cast<uint8_t>((out.bytes_[6] & 0x0FU) | 0x70U);
  out.bytes_[8] = static_cast<uint8_t>((out.bytes_[8] & 0x3FU) | 0x80U);
  return out;
}

}  // namespace plexsphere::sdk::inline v1

template <>
struct std::hash<plexsphere::sdk::Uuid> {
  std::size_t operator()(const plexsphere::sdk::Uuid& id) const noexcept {
    return std::hash<std::string_view>{}(id.bytes());
  }
};
