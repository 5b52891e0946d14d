// An operator and its API token, made by the administrator and by nobody else.
//
// Token: psk_<environment>_<token id, 16 bytes>_<secret, 32 random bytes>, both base32 (RFC 4648,
// section 6) in lower case without padding. The database keeps the SHA-256 of the secret's bytes.
#pragma once

#include <string>

#include "host/seal/secret_bytes.hpp"

namespace plexsphere::host::apps {

struct OperatorRequest {
  std::string name;
  std::string environment = "prod";
  int days = 365;
};

struct OperatorToken {
  std::string user_id;
  std::string token_id;
  std::string expires_at;  // RFC 3339
  std::string environment;
  seal::SecretBytes plaintext;  // the whole token; zeroed when this goes

  [[nodiscard]] std::string_view text() const {
    return {reinterpret_cast<const char*>(plaintext.span().data()), plaintext.span().size()};
  }
};

// Makes the user, the token and the platform's relations in one transaction.
// Throws StoreError: PX_INVALID_ARGUMENT for a name or environment of another form;
// PX_FAILED_PRECONDITION, "not_migrated", when identity or authz is not there yet.
[[nodiscard]] OperatorToken create_operator(const std::string& admin_dsn,
                                            const OperatorRequest& request);

}  // namespace plexsphere::host::apps
