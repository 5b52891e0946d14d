// JWT-SVIDs (SPIFFE JWT-SVID; RFC 7515 compact serialisation, RFC 7519), taken apart.
// Pure; any thread. Bounds: 4096 characters; the algorithms are RS…, PS…, ES… and EdDSA, so "none"
// and the symmetric ones never reach a verification.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "domain/assertion.hpp"

namespace plexsphere::identity {

struct JwtSvid {
  std::string algorithm;
  std::string key_id;
  Claims claims;
  std::string_view signing_input;  // a view of the text
  std::string signature;
};

// Nothing unless it is a well-formed JWT-SVID: an allowed algorithm, a key id, no critical
// extensions, and the claims sub, aud and exp.
std::optional<JwtSvid> parse_jwt_svid(std::string_view text);

}  // namespace plexsphere::identity
