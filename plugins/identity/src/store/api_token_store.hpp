// The table of API tokens, as issuing, rotating, revoking and listing change and read it.
// Thread safety: declare at configure, then any thread; blocks.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "domain/api_token.hpp"
#include "domain/service_identity.hpp"
#include "plexsphere/sdk/declarations.hpp"

namespace plexsphere::identity {

// Whom a token belongs to.
struct TokenOwner {
  OwnerKind kind = OwnerKind::user;
  sdk::Uuid id;
  sdk::Uuid domain_id;  // zero: platform scope
  bool disabled = false;
  std::optional<FederationKind> federation;  // of service identities

  std::string reference() const { return std::string(owner_text(kind)) + ":" + id.text(); }
};

struct ApiTokenRow {
  sdk::Uuid id;
  TokenOwner owner;
  std::string env_prefix;
  sdk::Instant created_at;
  sdk::Instant expires_at;
  std::optional<sdk::Instant> rotated_at;
  std::optional<sdk::Instant> last_used_at;
};

class ApiTokenStore {
 public:
  sdk::Status declare(const sdk::Store& store);

  // Nothing for one nobody has made.
  sdk::Result<std::optional<TokenOwner>> find_owner(OwnerKind kind, const sdk::Uuid& id) const;
  // Live: neither revoked nor expired at `now`. Ascending by id.
  sdk::Result<std::vector<ApiTokenRow>> live_of(const sdk::Uuid& owner_id, sdk::Instant now) const;
  // NOT_FOUND "not_found" unless it is live.
  sdk::Result<ApiTokenRow> find_live(const sdk::Uuid& id, sdk::Instant now) const;

  // How many the owner has; nobody else counts or issues for that owner until `tx` ends.
  sdk::Result<std::int64_t> count_exclusively(const sdk::Transaction& tx, const sdk::Uuid& owner_id,
                                              sdk::Instant now) const;
  // `issued_with`: the credential that asked for it.
  sdk::Status insert(const sdk::Transaction& tx, const ApiTokenRow& token,
                     std::string_view secret_sha256, const sdk::Uuid& issued_with) const;
  // Replaces the secret and takes the present one until `deadline`. False when it is not live.
  sdk::Result<bool> rotate(const sdk::Transaction& tx, const sdk::Uuid& id,
                           std::string_view secret_sha256, sdk::Instant now,
                           sdk::Instant deadline) const;
  // False when it is not live.
  sdk::Result<bool> revoke(const sdk::Transaction& tx, const sdk::Uuid& id, sdk::Instant now) const;

  // Drops retired secrets and access tokens past their time, and API tokens that ended before
  // `ended_before`; up to `limit` of each. How many of the kind with most.
  sdk::Result<std::int64_t> sweep(const sdk::Transaction& tx, sdk::Instant now,
                                  sdk::Instant ended_before, std::int64_t limit) const;

 private:
  void declare_changes(sdk::Declarations& all);
  void declare_sweep(sdk::Declarations& all);

  sdk::Store store_;
  sdk::Statement user_, service_, live_of_, find_live_;
  sdk::Statement lock_owner_, count_, insert_, retire_, rotate_, trim_, revoke_;
  sdk::Statement sweep_secrets_, sweep_access_, sweep_tokens_;
};

}  // namespace plexsphere::identity
