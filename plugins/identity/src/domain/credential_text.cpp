#include "domain/credential_text.hpp"

#include <algorithm>

namespace plexsphere::identity {

std::optional<NodeKeyText> parse_node_key_text(std::string_view bearer) {
  if (!bearer.starts_with("nsk_")) {
    return std::nullopt;
  }
  const std::string_view rest = bearer.substr(4);
  const std::size_t end = rest.find('_');
  if (end == std::string_view::npos || end == 0 || end + 1 == rest.size()) {
    return std::nullopt;
  }
  return NodeKeyText{rest.substr(0, end), rest.substr(end + 1)};
}

std::optional<ApiTokenText> parse_api_token_text(std::string_view bearer) {
  if (!bearer.starts_with("psk_")) {
    return std::nullopt;
  }
  const std::string_view rest = bearer.substr(4);
  const std::size_t first = rest.find('_');
  const std::size_t second = first == std::string_view::npos ? first : rest.find('_', first + 1);
  if (second == std::string_view::npos) {
    return std::nullopt;
  }
  const ApiTokenText out{rest.substr(0, first), rest.substr(first + 1, second - first - 1),
                         rest.substr(second + 1)};
  const bool letters =
      std::all_of(out.env.begin(), out.env.end(), [](char c) { return c >= 'a' && c <= 'z'; });
  if (out.env.empty() || !letters || out.id.empty() || out.secret.empty()) {
    return std::nullopt;
  }
  return out;
}

std::optional<AccessTokenText> parse_access_token_text(std::string_view bearer) {
  if (!bearer.starts_with("svc_")) {
    return std::nullopt;
  }
  const std::string_view rest = bearer.substr(4);
  const std::size_t end = rest.find('_');
  if (end == std::string_view::npos || end == 0 || end + 1 == rest.size()) {
    return std::nullopt;
  }
  return AccessTokenText{rest.substr(0, end), rest.substr(end + 1)};
}

bool valid_public_key(std::string_view bytes) {
  return bytes.size() == 32 &&
         std::any_of(bytes.begin(), bytes.end(), [](char c) { return c != '\0'; });
}

}  // namespace plexsphere::identity
