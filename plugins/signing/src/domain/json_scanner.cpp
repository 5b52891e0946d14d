#include "domain/json_scanner.hpp"

#include <array>
#include <cstdint>

namespace plexsphere::signing {
namespace {

constexpr int kMaxDepth = 64;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

int hex_value(char c) {
  if (is_digit(c)) {
    return c - '0';
  }
  if (c >= 'a' && c <= 'f') {
    return c - 'a' + 10;
  }
  if (c >= 'A' && c <= 'F') {
    return c - 'A' + 10;
  }
  return -1;
}

bool is_lower_hex_text(std::string_view text) {
  return text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// The characters a canonical encoder writes as \uXXXX and no other way. Backspace and form feed are
// left out: encoders of different releases spell them differently, so no signature over them holds.
bool must_be_unicode_escape(int code) {
  if (code < 0x20) {
    return code != '\b' && code != '\f' && code != '\n' && code != '\r' && code != '\t';
  }
  return code == '<' || code == '>' || code == '&' || code == 0x2028 || code == 0x2029;
}

struct Utf8Shape {
  std::uint8_t first_low, first_high;    // range of the first byte
  std::uint8_t second_low, second_high;  // range of the second, which rules out overlong forms
  std::size_t length;
};

// Well-formed UTF-8 byte sequences, Unicode 15.0 table 3-7.
constexpr std::array<Utf8Shape, 8> kUtf8Shapes = {{{0xC2, 0xDF, 0x80, 0xBF, 2},
                                                   {0xE0, 0xE0, 0xA0, 0xBF, 3},
                                                   {0xE1, 0xEC, 0x80, 0xBF, 3},
                                                   {0xED, 0xED, 0x80, 0x9F, 3},
                                                   {0xEE, 0xEF, 0x80, 0xBF, 3},
                                                   {0xF0, 0xF0, 0x90, 0xBF, 4},
                                                   {0xF1, 0xF3, 0x80, 0xBF, 4},
                                                   {0xF4, 0xF4, 0x80, 0x8F, 4}}};

bool in_range(char c, std::uint8_t low, std::uint8_t high) {
  const auto byte = static_cast<std::uint8_t>(c);
  return byte >= low && byte <= high;
}

}  // namespace

bool JsonScanner::literal(std::string_view expected) {
  if (text_.substr(at_, expected.size()) != expected) {
    return false;
  }
  at_ += expected.size();
  return true;
}

std::optional<std::string_view> JsonScanner::string(Escapes escapes) {
  if (!literal("\"")) {
    return std::nullopt;
  }
  const std::size_t begin = at_;
  while (at_ < text_.size() && text_[at_] != '"') {
    const char c = text_[at_];
    const auto byte = static_cast<std::uint8_t>(c);
    if (c == '\\') {
      if (!escape(escapes)) {
        return std::nullopt;
      }
    } else if (byte >= 0x80) {
      if (!utf8()) {
        return std::nullopt;
      }
    } else if (byte < 0x20 || c == '<' || c == '>' || c == '&') {
      return std::nullopt;
    } else {
      ++at_;
    }
  }
  const std::string_view inside = text_.substr(begin, at_ - begin);
  return literal("\"") ? std::optional(inside) : std::nullopt;
}

bool JsonScanner::escape(Escapes escapes) {
  const bool any = escapes == Escapes::kAny;
  const std::string_view short_forms = any ? "\"\\nrt/bf" : "\"\\nrt";
  ++at_;
  const char kind = peek();
  if (at_ < text_.size() && short_forms.find(kind) != std::string_view::npos) {
    ++at_;
    return true;
  }
  const std::string_view hex = text_.substr(at_, 5);
  if (kind != 'u' || hex.size() != 5) {
    return false;
  }
  int code = 0;
  for (const char digit : hex.substr(1)) {
    const int value = hex_value(digit);
    if (value < 0) {
      return false;
    }
    code = code * 16 + value;
  }
  at_ += 5;
  return any || (must_be_unicode_escape(code) && is_lower_hex_text(hex.substr(1)));
}

bool JsonScanner::utf8() {
  for (const Utf8Shape& shape : kUtf8Shapes) {
    if (!in_range(text_[at_], shape.first_low, shape.first_high)) {
      continue;
    }
    const std::string_view sequence = text_.substr(at_, shape.length);
    if (sequence.size() != shape.length ||
        !in_range(sequence[1], shape.second_low, shape.second_high)) {
      return false;
    }
    for (const char c : sequence.substr(2)) {
      if (!in_range(c, 0x80, 0xBF)) {
        return false;
      }
    }
    at_ += shape.length;
    return sequence != "\u2028" && sequence != "\u2029";
  }
  return false;
}

bool JsonScanner::digits() {
  const std::size_t begin = at_;
  while (is_digit(peek())) {
    ++at_;
  }
  return at_ > begin;
}

bool JsonScanner::number() {
  literal("-");
  if (!literal("0") && !digits()) {
    return false;
  }
  if (literal(".") && !digits()) {
    return false;
  }
  if (literal("e") || literal("E")) {
    if (!literal("+")) {
      literal("-");
    }
    return digits();
  }
  return true;
}

bool JsonScanner::value(int depth) {
  if (depth > kMaxDepth) {
    return false;
  }
  switch (peek()) {
    case '{':
      return object(depth);
    case '[':
      return array(depth);
    case '"':
      return string(Escapes::kAny).has_value();
    case 't':
      return literal("true");
    case 'f':
      return literal("false");
    case 'n':
      return literal("null");
    default:
      return number();
  }
}

bool JsonScanner::object(int depth) {
  literal("{");
  if (literal("}")) {
    return true;
  }
  do {
    if (!string(Escapes::kAny) || !literal(":") || !value(depth + 1)) {
      return false;
    }
  } while (literal(","));
  return literal("}");
}

bool JsonScanner::array(int depth) {
  literal("[");
  if (literal("]")) {
    return true;
  }
  do {
    if (!value(depth + 1)) {
      return false;
    }
  } while (literal(","));
  return literal("]");
}

}  // namespace plexsphere::signing
