// The table of bootstrap tokens. Hashes and metadata only: no plaintext comes here.
// Thread safety: declare at configure, then any thread; blocks. Transactions are the caller's.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "domain/bootstrap_token.hpp"
#include "plexsphere/sdk/store.hpp"

namespace plexsphere::identity {

struct TokenRecord {
  sdk::Uuid id;
  sdk::Uuid domain_id;
  sdk::Uuid project_id;
  TokenKind kind = TokenKind::node;
  std::string env_prefix;
  sdk::Uuid issued_by;
  sdk::Instant issued_at;
  sdk::Instant expires_at;
  std::optional<sdk::Instant> consumed_at;
  std::optional<sdk::Instant> revoked_at;

  TokenFacts facts() const {
    return {project_id.text(), expires_at, revoked_at.has_value(), consumed_at.has_value()};
  }
};

// A token and the Node that it bought.
struct TokenPurchase {
  TokenRecord token;
  sdk::Uuid node_id;  // zero: not consumed
};

// A token as redemption sees it.
struct TokenSecretRecord {
  TokenRecord token;
  std::string hash;            // PHC string
  std::string consumed_nonce;  // sha256; empty: not consumed
  sdk::Uuid consumed_by_node;  // zero: not consumed
};

struct Consumption {
  sdk::Uuid token_id;
  sdk::Uuid project_id;
  TokenKind kind = TokenKind::node;
  std::string_view nonce_sha256;
  sdk::Uuid node_id;
  sdk::Instant now;
};

class TokenStore {
 public:
  sdk::Status declare(const sdk::Store& store);

  sdk::Status insert(const sdk::Transaction& tx, const TokenRecord& token,
                     std::string_view selector, std::string_view hash) const;
  // NOT_FOUND for a selector nobody has.
  sdk::Result<TokenSecretRecord> find_by_selector(std::string_view selector) const;
  // NOT_FOUND.
  sdk::Result<TokenRecord> find(const sdk::Uuid& project_id, const sdk::Uuid& id) const;
  // NOT_FOUND.
  sdk::Result<TokenPurchase> find_purchase(const sdk::Uuid& id) const;
  // Ascending ids after `after`.
  sdk::Result<std::vector<TokenRecord>> page(const sdk::Uuid& project_id, const sdk::Uuid& after,
                                             std::int64_t limit) const;
  // Zero when the token does not exist.
  sdk::Result<sdk::Uuid> domain_of(const sdk::Uuid& id) const;

  // False when the token is not live, or of another Project or kind: nothing has changed then.
  // ALREADY_EXISTS "bootstrap_token_nonce": the nonce has bought a Node in this Project before.
  sdk::Result<bool> consume(const sdk::Transaction& tx, const Consumption& consumption) const;
  // False when it was consumed or revoked before.
  sdk::Result<bool> revoke(const sdk::Transaction& tx, const sdk::Uuid& project_id,
                           const sdk::Uuid& id, sdk::Instant now) const;
  // Up to `limit` tokens that ran out unnoticed; each is returned once, ever.
  sdk::Result<std::vector<TokenRecord>> note_expired(const sdk::Transaction& tx, sdk::Instant now,
                                                     std::int64_t limit) const;

 private:
  sdk::Store store_;
  sdk::Statement insert_, by_selector_, by_id_, purchase_, page_, domain_, consume_, revoke_,
      note_expired_;
};

}  // namespace plexsphere::identity
