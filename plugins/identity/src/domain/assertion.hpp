// What a JWT-SVID must claim (SPIFFE JWT-SVID, 3 and 5; RFC 7519, 4.1). Pure; any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace plexsphere::identity {

using WholeSeconds = std::chrono::seconds;

// Tolerated when the issuer's clock is ahead of ours. Nothing is added to an expiry.
inline constexpr WholeSeconds kClockAllowance{60};

struct Claims {
  std::string subject;
  std::vector<std::string> audience;
  WholeSeconds expires_at{};  // since 1970
  std::optional<WholeSeconds> not_before;
  std::optional<WholeSeconds> issued_at;
};

// What is wrong with claims whose signature is good, in words fit for a problem's detail; nothing
// when they hold. Whether the subject is the right one is not looked at, only its trust domain.
std::optional<std::string_view> refuse_claims(const Claims& claims, std::string_view audience,
                                              std::string_view trust_domain, WholeSeconds now);

}  // namespace plexsphere::identity
