// The tables of users and of their API tokens, as authentication and whoami read them.
// Thread safety: declare at configure, then any thread; blocks.
#pragma once

#include <optional>
#include <string>

#include "plexsphere/sdk/store.hpp"

namespace plexsphere::identity {

struct ApiTokenRecord {
  sdk::Uuid id;
  sdk::Uuid user_id;
  sdk::Uuid domain_id;  // zero: platform scope
  std::string secret_sha256;
  std::string env_prefix;
  sdk::Instant expires_at;
  bool revoked = false;  // or its user is disabled
};

struct UserRecord {
  std::string subject;
  std::optional<std::string> email;
  sdk::Uuid domain_id;  // zero: platform scope
};

class OperatorStore {
 public:
  sdk::Status declare(const sdk::Store& store);

  // Nothing for an unknown id.
  sdk::Result<std::optional<ApiTokenRecord>> find_api_token(const sdk::Uuid& id) const;
  sdk::Result<std::optional<UserRecord>> find_user(const sdk::Uuid& id) const;

 private:
  sdk::Store store_;
  sdk::Statement api_token_, user_;
};

}  // namespace plexsphere::identity
