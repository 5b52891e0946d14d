#include "domain/api_token.hpp"

#include <algorithm>

namespace plexsphere::identity {

std::string_view owner_text(OwnerKind kind) {
  return kind == OwnerKind::service ? "service" : "user";
}

std::string_view reference_type(OwnerKind kind) {
  return kind == OwnerKind::service ? "service-identity" : "user";
}

std::optional<IdentityRef> parse_identity_ref(std::string_view text) {
  for (const OwnerKind kind : {OwnerKind::user, OwnerKind::service}) {
    const std::string_view word = owner_text(kind);
    if (text.starts_with(word) && text.size() > word.size() && text[word.size()] == ':') {
      return IdentityRef{kind, text.substr(word.size() + 1)};
    }
  }
  return std::nullopt;
}

bool api_env_prefix(std::string_view text) {
  return text == "dev" || text == "stage" || text == "prod";
}

TokenInstant rotation_deadline(TokenInstant now, std::chrono::milliseconds grace,
                               TokenInstant expires_at) {
  return std::chrono::floor<std::chrono::seconds>(std::min<TokenInstant>(now + grace, expires_at));
}

}  // namespace plexsphere::identity
