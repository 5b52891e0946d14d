// Bootstrap tokens for operators: issue, list, read, revoke, and the sweep that notes expiry.
// Thread safety: any thread, after configure.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "app/call_context.hpp"
#include "app/lanes.hpp"
#include "app/password_hash.hpp"
#include "app/secret_text.hpp"
#include "app/token_codec.hpp"
#include "plexsphere/sdk/jobs.hpp"
#include "plexsphere/sdk/ports/audit.hpp"
#include "plexsphere/sdk/ports/authz.hpp"
#include "plexsphere/sdk/ports/tenancy.hpp"
#include "plexsphere/sdk/services.hpp"
#include "store/token_store.hpp"

namespace plexsphere::identity {

// Who acts; from the authenticated principal, never from a body.
struct Actor {
  std::string type;  // "user" or "service-identity"
  sdk::Uuid id;
  sdk::Uuid domain_id;  // zero: platform scope

  sdk::Reference reference() const { return {type, id.text()}; }
};

struct IssueCommand {
  sdk::Uuid project_id;
  TokenKind kind = TokenKind::node;
  std::string env_prefix;
  std::int64_t ttl_seconds = 0;
  Actor actor;
  CallContext call;
};

struct IssuedToken {
  TokenRecord token;
  SecretText plaintext;
};

// What became of a token, as operators see it.
struct TokenUsage {
  TokenPurchase purchase;
  std::string_view state;
};

struct TokenServicePorts {
  sdk::Store store;
  sdk::Clock clock;
  sdk::Audit audit;
  sdk::Authz authz;
  sdk::Tenancy tenancy;
};

class TokenService {
 public:
  using IssueDone = std::function<void(sdk::Result<IssuedToken>)>;

  TokenService(TokenServicePorts ports, const TokenStore& tokens, const TokenCodec& codec,
               const PasswordHash& hash, Lanes& lanes)
      : ports_(std::move(ports)), tokens_(tokens), codec_(codec), hash_(hash), lanes_(lanes) {}

  // Requires env and ttl within their bounds. NOT_FOUND "project_not_found";
  // RESOURCE_EXHAUSTED "registration_overloaded". `done` runs once, from any thread.
  void issue(IssueCommand command, IssueDone done) const;

  // NOT_FOUND "project_not_found".
  sdk::Result<std::vector<TokenRecord>> list(const sdk::Uuid& project_id, const sdk::Uuid& after,
                                             std::int64_t limit) const;
  // NOT_FOUND "not_found".
  sdk::Result<TokenRecord> get(const sdk::Uuid& project_id, const sdk::Uuid& id) const;
  // NOT_FOUND "not_found". Of any Project.
  sdk::Result<TokenUsage> usage(const sdk::Uuid& id) const;
  // NOT_FOUND "not_found"; FAILED_PRECONDITION "token_consumed" or "token_revoked".
  sdk::Status revoke(const sdk::Uuid& project_id, const sdk::Uuid& id, const Actor& actor,
                     const CallContext& call) const;

  // One audit row for each token that ran out unused. Decides nothing: validity is read off the
  // clock by whoever redeems.
  sdk::Status sweep(const sdk::JobRun& run) const;

 private:
  struct Order;  // an issue on its way through the lanes
  sdk::Result<IssuedToken> store_issued(IssueCommand& command, const sdk::Uuid& domain_id,
                                        MintedToken minted, const std::string& hash) const;
  sdk::Result<std::size_t> sweep_batch(const sdk::JobRun& run) const;

  TokenServicePorts ports_;
  const TokenStore& tokens_;
  const TokenCodec& codec_;
  const PasswordHash& hash_;
  Lanes& lanes_;
};

}  // namespace plexsphere::identity
