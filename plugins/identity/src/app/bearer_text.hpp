// The texts of operators' bearers: made here once, taken apart at every request.
//
//   psk_<env>_<base32 of the id>_<base32 of 32 random bytes>   an API token
//   svc_<base32 of the id>_<base32 of 32 random bytes>         a service identity's access token
//
// Pure apart from the random source; any thread. Plaintexts are zeroed after use.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "app/secret_text.hpp"
#include "plexsphere/sdk/uuid.hpp"

namespace plexsphere::identity {

enum class BearerKind { api_token, access_token };

struct MintedBearer {
  SecretText plaintext;
  std::string secret_sha256;
};
MintedBearer mint_api_token(std::string_view env, const sdk::Uuid& id);
MintedBearer mint_access_token(const sdk::Uuid& id);

// What a bearer says of itself; `secret_sha256` is yet to be compared.
struct PresentedBearer {
  BearerKind kind = BearerKind::api_token;
  sdk::Uuid id;
  std::string secret_sha256;
  std::string_view env;  // a view of the bearer; empty: an access token
};
std::optional<PresentedBearer> present_bearer(std::string_view bearer);

}  // namespace plexsphere::identity
