// Hex, base64 (RFC 4648 §4), base64url (§5, unpadded) and base32 (§6, lower case, unpadded).
// Decoders are strict: wrong alphabet, wrong length, stray or missing padding, or set trailing bits
// yield nothing. Pure functions, any thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace plexsphere::sdk::inline v1 {

namespace detail {

inline constexpr std::string_view kBase64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
inline constexpr std::string_view kBase64Url =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
inline constexpr std::string_view kBase32 = "abcdefghijklmnopqrstuvwxyz234567";
inline constexpr std::string_view kHex = "0123456789abcdef";

// Packs bytes into symbols of `bits` bits, most significant first, the last one zero-filled.
inline std::string encode(std::string_view bytes, std::string_view alphabet, unsigned bits) {
  std::string out;
  out.reserve((bytes.size() * 8 + bits - 1) / bits);
  uint32_t buffer = 0;
  unsigned held = 0;
  const uint32_t mask = (1U << bits) - 1;
  for (const char c : bytes) {
    buffer = (buffer << 8) | static_cast<uint8_t>(c);
    held += 8;
    while (held >= bits) {
      held -= bits;
      out.push_back(alphabet[(buffer >> held) & mask]);
    }
  }
  if (held > 0) {
    out.push_back(alphabet[(buffer << (bits - held)) & mask]);
  }
  return out;
}

inline std::optional<std::string> decode(std::string_view text, std::string_view alphabet,
                                         unsigned bits) {
  std::array<int8_t, 256> reverse;
  reverse.fill(-1);
  for (std::size_t i = 0; i < alphabet.size(); ++i) {
    reverse[static_cast<uint8_t>(alphabet[i])] = static_cast<int8_t>(i);
  }
  std::string out;
  out.reserve(text.size() * bits / 8);
  uint32_t buffer = 0;
  unsigned held = 0;
  for (const char c : text) {
    const int8_t symbol = reverse[static_cast<uint8_t>(c)];
    if (symbol < 0) {
      return std::nullopt;
    }
    buffer = (buffer << bits) | static_cast<uint32_t>(symbol);
    held += bits;
    if (held >= 8) {
      held -= 8;
      out.push_back(static_cast<char>((buffer >> held) & 0xFFU));
    }
  }
  const bool whole_symbol_unused = held >= bits;
  const bool trailing_bits_set = (buffer & ((1U << held) - 1)) != 0;
  if (whole_symbol_unused || trailing_bits_set) {
    return std::nullopt;
  }
  return out;
}

}  // namespace detail

inline std::string hex_encode(std::string_view bytes) {
  return detail::encode(bytes, detail::kHex, 4);
}
inline std::optional<std::string> hex_decode(std::string_view text) {
  return detail::decode(text, detail::kHex, 4);
}
inline std::string base32_encode(std::string_view bytes) {
  return detail::encode(bytes, detail::kBase32, 5);
}
inline std::optional<std::string> base32_decode(std::string_view text) {
  return detail::decode(text, detail::kBase32, 5);
}
inline std::string base64url_encode(std::string_view bytes) {
  return detail::encode(bytes, detail::kBase64Url, 6);
}
inline std::optional<std::string> base64url_decode(std::string_view text) {
  return detail::decode(text, detail::kBase64Url, 6);
}
inline std::string base64_encode(std::string_view bytes) {
  std::string out = detail::encode(bytes, detail::kBase64, 6);
  out.append((4 - out.size() % 4) % 4, '=');
  return out;
}
inline std::optional<std::string> base64_decode(std::string_view text) {
  if (text.size() % 4 != 0) {
    return std::nullopt;
  }
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  return detail::decode(text.substr(0, text.size() - padding), detail::kBase64, 6);
}

}  // namespace plexsphere::sdk::inline v1
