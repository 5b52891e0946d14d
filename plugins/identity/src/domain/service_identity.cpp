#include "domain/service_identity.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace plexsphere::identity {
namespace {

constexpr std::string_view kScheme = "spiffe://";
constexpr std::size_t kLongestSpiffeId = 2048;
constexpr std::size_t kLongestTrustDomain = 255;

constexpr std::array<std::pair<FederationKind, std::string_view>, 3> kKinds{
    {{FederationKind::oidc_cc, "oidc_cc"},
     {FederationKind::spiffe_svid, "spiffe_svid"},
     {FederationKind::api_token, "api_token"}}};

bool lower_or_mark(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
}
bool path_character(char c) {
  return lower_or_mark(c) || (c >= 'A' && c <= 'Z');
}

bool valid_segment(std::string_view segment) {
  return !segment.empty() && segment != "." && segment != ".." &&
         std::ranges::all_of(segment, path_character);
}

}  // namespace

std::optional<FederationKind> federation_kind(std::string_view text) {
  const auto* found = std::ranges::find(kKinds, text, [](const auto& each) { return each.second; });
  return found == kKinds.end() ? std::nullopt : std::optional(found->first);
}

std::string_view text_of(FederationKind kind) {
  return kKinds[static_cast<std::size_t>(kind)].second;
}

bool valid_trust_domain(std::string_view text) {
  return !text.empty() && text.size() <= kLongestTrustDomain &&
         std::ranges::all_of(text, lower_or_mark);
}

std::string_view trust_domain_of(std::string_view spiffe_id) {
  const std::string_view rest = spiffe_id.substr(std::min(kScheme.size(), spiffe_id.size()));
  return rest.substr(0, rest.find('/'));
}

bool valid_spiffe_id(std::string_view text) {
  if (!text.starts_with(kScheme) || text.size() > kLongestSpiffeId) {
    return false;
  }
  const std::string_view trust_domain = trust_domain_of(text);
  std::string_view path = text.substr(kScheme.size() + trust_domain.size());
  if (!valid_trust_domain(trust_domain) || path.empty()) {
    return false;
  }
  while (!path.empty()) {
    path.remove_prefix(1);
    const std::string_view segment = path.substr(0, path.find('/'));
    if (!valid_segment(segment)) {
      return false;
    }
    path.remove_prefix(segment.size());
  }
  return true;
}

std::optional<Grant> grant_of(std::string_view grant_type) {
  if (grant_type == "client_credentials") {
    return Grant::client_credentials;
  }
  if (grant_type == "urn:ietf:params:oauth:grant-type:jwt-bearer") {
    return Grant::jwt_bearer;
  }
  return std::nullopt;
}

bool grant_fits(FederationKind kind, Grant grant, bool secret_is_api_token) {
  switch (kind) {
    case FederationKind::oidc_cc:
      return grant == Grant::client_credentials && !secret_is_api_token;
    case FederationKind::api_token:
      return grant == Grant::client_credentials && secret_is_api_token;
    case FederationKind::spiffe_svid:
      return grant == Grant::jwt_bearer;
  }
  return false;
}

}  // namespace plexsphere::identity
