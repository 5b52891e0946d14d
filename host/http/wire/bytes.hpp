// Which byte may stand where in a request head: one table for all grammars.
//
// Thread safety: constants and pure functions.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace plexsphere::host::http::wire {

inline constexpr std::uint8_t kToken = 1;  // RFC 9110, 5.6.2
// What browsers leave undecoded in a target: RFC 3986 and a few beyond it, none of which means
// anything to a server. "#" and "\\" would be read differently by different parsers.
inline constexpr std::uint8_t kTarget = 2;
inline constexpr std::uint8_t kFieldValue = 4;  // HTAB, SP, VCHAR, obs-text
inline constexpr std::uint8_t kHost = 8;        // of a registered name or an IPv4 address
inline constexpr std::uint8_t kDigit = 16;
inline constexpr std::uint8_t kHex = 32;
inline constexpr std::uint8_t kQuoted = 64;  // qdtext, RFC 9110, 5.6.4

namespace detail {

constexpr bool contains(std::string_view set, char c) {
  return set.find(c) != std::string_view::npos;
}

constexpr std::uint8_t classes_of(unsigned char byte) {
  const char c = static_cast<char>(byte);
  const bool digit = byte >= '0' && byte <= '9';
  const unsigned char lower = byte | 0x20U;
  const bool letter = lower >= 'a' && lower <= 'z' && byte < 0x80;
  const bool value = byte == '\t' || (byte >= 0x20 && byte != 0x7f);
  unsigned out = 0;
  out |= digit || letter || (byte != 0 && contains("!#$%&'*+-.^_`|~", c)) ? kToken : 0U;
  out |= byte > 0x20 && byte < 0x7f && !contains("\"#<>\\", c) ? kTarget : 0U;
  out |= value ? kFieldValue : 0U;
  out |= digit || letter || (byte != 0 && contains("-._~", c)) ? kHost : 0U;
  out |= digit ? kDigit : 0U;
  out |= digit || (lower >= 'a' && lower <= 'f' && byte < 0x80) ? kHex : 0U;
  out |= value && c != '"' && c != '\\' ? kQuoted : 0U;
  return static_cast<std::uint8_t>(out);
}

constexpr std::array<std::uint8_t, 256> make_classes() {
  std::array<std::uint8_t, 256> out{};
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = classes_of(static_cast<unsigned char>(i));
  }
  return out;
}

inline constexpr std::array<std::uint8_t, 256> kClasses = make_classes();

}  // namespace detail

inline bool is(char c, std::uint8_t classes) {
  return (detail::kClasses[static_cast<unsigned char>(c)] & classes) != 0;
}

// The index of the first byte at or after `from` that is not of `classes`; the size when all are.
inline std::size_t run_of(std::string_view text, std::size_t from, std::uint8_t classes) {
  while (from < text.size() && is(text[from], classes)) {
    ++from;
  }
  return from;
}

// Whether every byte may stand in a field value. Eight at a time: values are most of a head.
inline bool all_field_value(std::string_view text) {
  constexpr std::uint64_t kOnes = 0x0101010101010101ULL;
  constexpr std::uint64_t kHighs = 0x8080808080808080ULL;
  std::size_t i = 0;
  for (; i + sizeof(std::uint64_t) <= text.size(); i += sizeof(std::uint64_t)) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data() + i, sizeof(word));
    const std::uint64_t below_space = (word - kOnes * 0x20) & ~word;
    const std::uint64_t delete_as_zero = word ^ (kOnes * 0x7f);
    const std::uint64_t is_delete = (delete_as_zero - kOnes) & ~delete_as_zero;
    // A hit may be a HTAB, or a neighbour of one: look closely.
    if (((below_space | is_delete) & kHighs) != 0 &&
        run_of(text.substr(i, sizeof(word)), 0, kFieldValue) != sizeof(word)) {
      return false;
    }
  }
  return run_of(text, i, kFieldValue) == text.size();
}

// Whether `text` is `lower` in any case; `lower` is in lower case already.
inline bool token_is(std::string_view text, std::string_view lower) {
  if (text.size() != lower.size()) {
    return false;
  }
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if ((c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c) != lower[i]) {
      return false;
    }
  }
  return true;
}

// Without the optional white space around it (RFC 9110, 5.6.3).
inline std::string_view trimmed(std::string_view text) {
  const auto blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && blank(text.front())) {
    text.remove_prefix(1);
  }
  while (!text.empty() && blank(text.back())) {
    text.remove_suffix(1);
  }
  return text;
}

}  // namespace plexsphere::host::http::wire
