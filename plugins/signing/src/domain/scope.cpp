#include "domain/scope.hpp"

#include <algorithm>

namespace plexsphere::signing {
namespace {

constexpr std::string_view kDomainPrefix = "domain:";

bool is_lower_hex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

bool is_uuid(std::string_view text) {
  if (text.size() != 36) {
    return false;
  }
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool hyphen = i == 8 || i == 13 || i == 18 || i == 23;
    if (hyphen ? text[i] != '-' : !is_lower_hex(text[i])) {
      return false;
    }
  }
  return true;
}

bool is_key_id_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view(":#._/-").find(c) != std::string_view::npos;
}

}  // namespace

Outcome<Scope> Scope::parse(std::string_view text) {
  const bool domain = text.starts_with(kDomainPrefix) && is_uuid(text.substr(kDomainPrefix.size()));
  if (text == "platform" || domain) {
    return Scope(std::string(text));
  }
  return Fault{FaultKind::kInvariantViolation,
               "scope must be \"platform\" or \"domain:<lower-case uuid>\""};
}

Outcome<Profile> parse_profile(std::string_view text) {
  if (text == "saas") {
    return Profile::kSaas;
  }
  if (text == "selfhosted-single") {
    return Profile::kSelfhostedSingle;
  }
  if (text == "selfhosted-multi") {
    return Profile::kSelfhostedMulti;
  }
  return Fault{FaultKind::kInvariantViolation,
               "profile \"" + std::string(text) +
                   "\" is unknown: use saas, selfhosted-single or selfhosted-multi"};
}

Outcome<Done> check_profile(Profile profile, const Scope& scope) {
  if (!scope.is_platform() || profile == Profile::kSelfhostedSingle) {
    return Done{};
  }
  if (profile == Profile::kSaas) {
    return Fault{FaultKind::kInvariantViolation,
                 "signing scope \"platform\" not permitted in profile \"saas\": SaaS deployments "
                 "require per-Domain keys"};
  }
  return Fault{FaultKind::kInvariantViolation,
               "signing scope \"platform\" not permitted in profile \"selfhosted-multi\": "
               "multi-Domain installations require per-Domain keys"};
}

bool is_key_id(std::string_view text) {
  return !text.empty() && text.size() <= kMaxKeyIdLength &&
         std::all_of(text.begin(), text.end(), is_key_id_character);
}

}  // namespace plexsphere::signing
