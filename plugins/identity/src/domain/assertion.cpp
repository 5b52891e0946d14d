#include "domain/assertion.hpp"

#include <algorithm>

#include "domain/service_identity.hpp"

namespace plexsphere::identity {

std::optional<std::string_view> refuse_claims(const Claims& claims, std::string_view audience,
                                              std::string_view trust_domain, WholeSeconds now) {
  if (claims.expires_at <= now) {
    return "the assertion has expired";
  }
  if (claims.not_before && *claims.not_before > now + kClockAllowance) {
    return "the assertion is not valid yet";
  }
  if (claims.issued_at && *claims.issued_at > now + kClockAllowance) {
    return "the assertion was issued in the future";
  }
  if (std::ranges::find(claims.audience, audience) == claims.audience.end()) {
    return "the assertion is for another audience";
  }
  if (!valid_spiffe_id(claims.subject) || trust_domain_of(claims.subject) != trust_domain) {
    return "the assertion's subject is not a SPIFFE id of the trust domain that issued it";
  }
  return std::nullopt;
}

}  // namespace plexsphere::identity
