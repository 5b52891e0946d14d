// The text forms of bearer credentials, split into their segments. What a segment decodes to is the
// caller's business. Pure; any thread.
#pragma once

#include <optional>
#include <string_view>

namespace plexsphere::identity {

// nsk_<env>_<payload>: env is any non-empty text without an underscore, the payload everything
// after, since its alphabet (base64url) holds underscores too.
struct NodeKeyText {
  std::string_view env;
  std::string_view payload;
};
std::optional<NodeKeyText> parse_node_key_text(std::string_view bearer);

// psk_<env>_<id>_<secret>: env lower-case letters, id and secret base32.
struct ApiTokenText {
  std::string_view env;
  std::string_view id;
  std::string_view secret;
};
std::optional<ApiTokenText> parse_api_token_text(std::string_view bearer);

// svc_<id>_<secret>: both base32.
struct AccessTokenText {
  std::string_view id;
  std::string_view secret;
};
std::optional<AccessTokenText> parse_access_token_text(std::string_view bearer);

// An X25519 public key (RFC 7748) is 32 bytes and not all zero.
bool valid_public_key(std::string_view bytes);

}  // namespace plexsphere::identity
