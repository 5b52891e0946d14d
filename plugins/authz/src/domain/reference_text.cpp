#include "domain/reference_text.hpp"

#include <algorithm>

namespace plexsphere::authz {
namespace {

bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_id_character(char c) {
  return is_lower(c) || is_digit(c) || (c >= 'A' && c <= 'Z') ||
         std::string_view("._/=+~-").find(c) != std::string_view::npos;
}

}  // namespace

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= 64 && is_lower(text.front()) &&
         std::ranges::all_of(
             text, [](char c) { return is_lower(c) || is_digit(c) || c == '_' || c == '-'; });
}

std::optional<Object> parse_object(std::string_view text) {
  const auto colon = text.find(':');
  if (colon == std::string_view::npos) {
    return std::nullopt;
  }
  const std::string_view type = text.substr(0, colon);
  const std::string_view id = text.substr(colon + 1);
  if (!is_name(type) || id.empty() || id.size() > 256 ||
      !std::ranges::all_of(id, is_id_character)) {
    return std::nullopt;
  }
  return Object{std::string(type), std::string(id)};
}

std::optional<Subject> parse_subject(std::string_view text) {
  const auto hash = text.find('#');
  const bool is_set = hash != std::string_view::npos;
  auto object = parse_object(text.substr(0, hash));
  if (!object || (is_set && !is_name(text.substr(hash + 1)))) {
    return std::nullopt;
  }
  if (object->type == "serviceaccount") {
    object->type = "service-identity";
  }
  return Subject{std::move(*object), std::string(is_set ? text.substr(hash + 1) : "")};
}

}  // namespace plexsphere::authz
