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

// Values of an alphabet's symbols, -1 for all others.
constexpr std::array<int8_t, 256> reversed(std::string_view alphabet) {
  std::array<int8_t, 256> reverse{};
  reverse.fill(-1);
  for (std::size_t i = 0; i < alphabet.size(); ++i) {
    reverse[static_cast<uint8_t>(alphabet[i])] = static_cast<int8_t>(i);
  }
  return reverse;
}

inline constexpr auto kBase64Values = reversed(kBase64);
inline constexpr auto kBase64UrlValues = reversed(kBase64Url);
inline constexpr auto kBase32Values = reversed(kBase32);
inline constexpr auto kHexValues = reversed(kHex);

// By whole groups of symbols that make whole bytes, then the rest symbol by symbol.
template <unsigned kBits>
std::optional<std::string> decode(std::string_view text, const std::array<int8_t, 256>& values) {
  constexpr std::size_t kSymbols = kBits == 4 ? 2 : kBits == 6 ? 4 : 8;
  constexpr std::size_t kBytes = kSymbols * kBits / 8;
  std::string out(text.size() * kBits / 8, '\0');
  char* to = out.data();
  int8_t wrong = 0;  // negative as soon as one symbol is none
  std::size_t at = 0;
  for (; at + kSymbols <= text.size(); at += kSymbols) {
    uint64_t group = 0;
    for (std::size_t i = 0; i < kSymbols; ++i) {
      const int8_t value = values[static_cast<uint8_t>(text[at + i])];
      wrong = static_cast<int8_t>(wrong | value);
      group = group << kBits | static_cast<uint8_t>(value & ((1 << kBits) - 1));
    }
    for (std::size_t i = kBytes; i > 0; --i) {
      *to++ = static_cast<char>(group >> (8 * (i - 1)) & 0xFFU);
    }
  }
  uint32_t buffer = 0;
  unsigned held = 0;
  for (; at < text.size(); ++at) {
    const int8_t value = values[static_cast<uint8_t>(text[at])];
    wrong = static_cast<int8_t>(wrong | value);
    buffer = buffer << kBits | static_cast<uint8_t>(value & ((1 << kBits) - 1));
    held += kBits;
    if (held >= 8) {
      held -= 8;
      *to++ = static_cast<char>(buffer >> held & 0xFFU);
    }
  }
  const bool whole_symbol_unused = held >= kBits;
  const bool trailing_bits_set = (buffer & ((1U << held) - 1)) != 0;
  if (wrong < 0 || whole_symbol_unused || trailing_bits_set) {
    return std::nullopt;
  }
  return out;
}

}  // namespace detail

inline std::string hex_encode(std::string_view bytes) {
  return detail::encode(bytes, detail::kHex, 4);
}
inline std::optional<std::string> hex_decode(std::string_view text) {
  return detail::decode<4>(text, detail::kHexValues);
}
inline std::string base32_encode(std::string_view bytes) {
  return detail::encode(bytes, detail::kBase32, 5);
}
inline std::optional<std::string> base32_decode(std::string_view text) {
  return detail::decode<5>(text, detail::kBase32Values);
}
inline std::string base64url_encode(std::string_view bytes) {
  return detail::encode(bytes, detail::kBase64Url, 6);
}
inline std::optional<std::string> base64url_decode(std::string_view text) {
  return detail::decode<6>(text, detail::kBase64UrlValues);
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
  return detail::decode<6>(text.substr(0, text.size() - padding), detail::kBase64Values);
}

}  // namespace plexsphere::sdk::inline v1
