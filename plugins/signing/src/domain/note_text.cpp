#include "domain/note_text.hpp"

#include <algorithm>
#include <charconv>

namespace plexsphere::signing {

std::optional<std::uint64_t> parse_decimal(std::string_view text) {
  const bool digits = !text.empty() && std::all_of(text.begin(), text.end(),
                                                   [](char c) { return c >= '0' && c <= '9'; });
  if (!digits || text.size() > 18 || (text != "0" && text[0] == '0')) {
    return std::nullopt;
  }
  std::uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

bool is_base64_of_32_bytes(std::string_view text) {
  constexpr std::string_view alphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  if (text.size() != 44 || text[43] != '=') {
    return false;
  }
  const bool clean = text.substr(0, 43).find_first_not_of(alphabet) == std::string_view::npos;
  // 32 bytes fill 42 characters and four bits of the 43rd: its two spare bits must be zero.
  return clean && alphabet.find(text[42]) % 4 == 0;
}

bool is_plain_text(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && c != '\n') || byte >= 0x7f;
  });
}

std::string_view take_line(std::string_view& rest) {
  const std::size_t end = rest.find('\n');
  const std::string_view line = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  return line;
}

}  // namespace plexsphere::signing
