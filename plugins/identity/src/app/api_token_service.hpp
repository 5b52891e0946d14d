// API tokens: issue, list, rotate, revoke. Who may do it to whose token is the routes' question.
// Each change is one transaction with its audit row and its event.
// Thread safety: any thread, after configure. Blocks.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "app/bearer_text.hpp"
#include "app/call_context.hpp"
#include "app/token_service.hpp"
#include "plexsphere/sdk/outbox.hpp"
#include "store/api_token_store.hpp"

namespace plexsphere::identity {

struct ApiTokenPolicy {
  std::chrono::milliseconds default_ttl{};
  std::chrono::milliseconds longest_ttl{};  // at most a year
  std::chrono::milliseconds rotation_grace{};
  std::chrono::milliseconds keep_ended{};  // how long the row of an ended token stays
  std::int64_t most_live = 0;              // of one owner
};

// Who asks, with which credential, and whence.
struct Caller {
  Actor actor;
  sdk::Uuid credential_id;
  CallContext call;
};

struct IssueApiToken {
  TokenOwner owner;
  std::string env_prefix;
  std::optional<std::int64_t> ttl_seconds;
};

struct FreshApiToken {
  ApiTokenRow token;
  SecretText plaintext;
  std::optional<sdk::Instant> rotation_deadline;  // of a rotation
};

struct ApiTokenPorts {
  sdk::Store store;
  sdk::Outbox outbox;
  sdk::Clock clock;
  sdk::Audit audit;
};

class ApiTokenService {
 public:
  // Drops what this process remembers of a token.
  using Forget = std::function<void(const sdk::Uuid& token_id)>;

  ApiTokenService(ApiTokenPorts ports, const ApiTokenStore& tokens, ApiTokenPolicy policy,
                  Forget forget)
      : ports_(std::move(ports)), tokens_(tokens), policy_(policy), forget_(std::move(forget)) {}

  // INVALID_ARGUMENT "ttl_too_long", "federated_identity", "identity_disabled";
  // RESOURCE_EXHAUSTED "api_token_limit_reached".
  sdk::Result<FreshApiToken> issue(const IssueApiToken& order, const Caller& caller) const;
  sdk::Result<std::vector<ApiTokenRow>> list(const sdk::Uuid& owner_id) const;
  // NOT_FOUND "not_found", here and below, for a token that is not live.
  sdk::Result<ApiTokenRow> find(const sdk::Uuid& id) const;
  sdk::Result<FreshApiToken> rotate(const ApiTokenRow& token, const Caller& caller) const;
  sdk::Status revoke(const ApiTokenRow& token, const Caller& caller) const;
  // Nothing for one nobody has made.
  sdk::Result<std::optional<TokenOwner>> find_owner(OwnerKind kind, const sdk::Uuid& id) const {
    return tokens_.find_owner(kind, id);
  }

  // Drops what has ended: retired secrets, access tokens, and rows of tokens that ended long ago.
  sdk::Status sweep(const sdk::JobRun& run) const;

 private:
  sdk::Status refuse(const IssueApiToken& order) const;
  sdk::Status tell(const sdk::Transaction& tx, const ApiTokenRow& token, const Caller& caller,
                   std::string_view action) const;

  ApiTokenPorts ports_;
  const ApiTokenStore& tokens_;
  const ApiTokenPolicy policy_;
  Forget forget_;
};

// As audit_entry, in the chain of the Domain, or of the platform when `domain_id` is zero.
sdk::AuditEntry owner_entry(const Caller& caller, const sdk::Uuid& domain_id, std::string relation,
                            std::string object_type, const sdk::Uuid& object_id);

}  // namespace plexsphere::identity
