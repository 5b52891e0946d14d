#include "domain/text.hpp"

#include <cstddef>
#include <cstdint>

namespace plexsphere::audit {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

bool is_continuation(char c) {
  return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
}

std::size_t sequence_length(unsigned char lead) {
  if (lead >= 0xC2 && lead <= 0xDF) {
    return 2;
  }
  if ((lead & 0xF0U) == 0xE0U) {
    return 3;
  }
  return lead >= 0xF0 && lead <= 0xF4 ? 4 : 0;
}

// Overlong forms, surrogates and what lies past U+10FFFF show in the second byte.
bool second_byte_fits(unsigned char lead, unsigned char second) {
  switch (lead) {
    case 0xE0:
      return second >= 0xA0;
    case 0xED:
      return second <= 0x9F;
    case 0xF0:
      return second >= 0x90;
    case 0xF4:
      return second <= 0x8F;
    default:
      return true;
  }
}

// Bytes of the well-formed character that `text` begins with; 0 if there is none.
std::size_t character_at(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text.front());
  if (lead < 0x80) {
    return lead == 0 ? 0 : 1;
  }
  const std::size_t length = sequence_length(lead);
  if (length == 0 || text.size() < length ||
      !second_byte_fits(lead, static_cast<unsigned char>(text[1]))) {
    return 0;
  }
  for (std::size_t i = 1; i < length; ++i) {
    if (!is_continuation(text[i])) {
      return 0;
    }
  }
  return length;
}

}  // namespace

std::string clean_text(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const std::size_t length = character_at(text);
    if (length == 0) {
      out += kReplacement;
      text.remove_prefix(1);
      continue;
    }
    out += text.substr(0, length);
    text.remove_prefix(length);
  }
  return out;
}

std::string clean_prefix(std::string_view text, std::size_t bytes) {
  // Four bytes more, so that the character on the edge is whole before it is cut off.
  std::string out = clean_text(text.substr(0, bytes + 4));
  std::size_t end = out.size() > bytes ? bytes : out.size();
  while (end < out.size() && end > 0 && is_continuation(out[end])) {
    --end;
  }
  out.resize(end);
  return out;
}

}  // namespace plexsphere::audit
