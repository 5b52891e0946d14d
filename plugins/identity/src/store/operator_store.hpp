// Users, service identities and the digests of their bearers, as authentication and whoami read
// them. Thread safety: declare at configure, then any thread; blocks.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "domain/api_token.hpp"
#include "plexsphere/sdk/store.hpp"

namespace plexsphere::identity {

// A digest, and until when what it is of is taken.
struct AcceptedSecret {
  std::string sha256;
  sdk::Instant until;
};

// An API token or an access token.
struct BearerRecord {
  sdk::Uuid id;
  OwnerKind owner_kind = OwnerKind::user;
  sdk::Uuid owner_id;
  sdk::Uuid domain_id;                  // zero: platform scope
  std::string env_prefix;               // empty: an access token
  std::vector<AcceptedSecret> secrets;  // the present one, then those rotated away
  bool ended = false;                   // revoked, or its owner is disabled
  bool unaudited = false;               // of the bootstrap, and not in the audit log yet
  std::optional<sdk::Instant> last_used_at;
};

struct PrincipalRecord {
  std::string subject;
  std::optional<std::string> email;
  sdk::Uuid domain_id;  // zero: platform scope
};

struct TokenUse {
  sdk::Uuid token_id;
  sdk::Instant at;
};

class OperatorStore {
 public:
  sdk::Status declare(const sdk::Store& store);

  // Nothing for an unknown id.
  sdk::Result<std::optional<BearerRecord>> find_api_token(const sdk::Uuid& id) const;
  sdk::Result<std::optional<BearerRecord>> find_access_token(const sdk::Uuid& id) const;
  // Nothing for one that is unknown or disabled.
  sdk::Result<std::optional<PrincipalRecord>> find_principal(OwnerKind kind,
                                                             const sdk::Uuid& id) const;
  // Writes uses that are a minute or more after the last on record; leaves rows that are locked.
  sdk::Status record_uses(std::span<const TokenUse> uses) const;

 private:
  sdk::Store store_;
  sdk::Statement api_token_, access_token_, user_, service_, record_uses_;
};

}  // namespace plexsphere::identity
