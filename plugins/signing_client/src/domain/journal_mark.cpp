#include "domain/journal_mark.hpp"

#include <algorithm>
#include <charconv>

namespace plexsphere::signing_client {
namespace {

constexpr std::size_t kInstanceDigits = 32;
constexpr std::size_t kHashDigits = 64;

bool is_hex(std::string_view text, std::size_t digits) {
  return text.size() == digits && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

}  // namespace

bool is_well_formed(const JournalMark& mark) {
  return is_hex(mark.instance, kInstanceDigits) && mark.seq > 0 && is_hex(mark.head, kHashDigits);
}

std::optional<JournalMark> parse_mark(std::string_view text) {
  const std::size_t first = text.find(' ');
  const std::size_t last = text.rfind(' ');
  if (first == std::string_view::npos || first == last) {
    return std::nullopt;
  }
  JournalMark mark{std::string(text.substr(0, first)), 0, std::string(text.substr(last + 1))};
  const auto [end, error] = std::from_chars(text.data() + first + 1, text.data() + last, mark.seq);
  if (error != std::errc() || end != text.data() + last || !is_well_formed(mark)) {
    return std::nullopt;
  }
  return mark;
}

std::string step_of(const JournalMark& mark) {
  return "journal:" + mark.instance + ":" + std::to_string(mark.seq) + ":" + mark.head;
}

}  // namespace plexsphere::signing_client
