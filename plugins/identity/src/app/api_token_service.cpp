#include "app/api_token_service.hpp"

#include <nlohmann/json.hpp>

namespace plexsphere::identity {
namespace {

using sdk::Code;
using sdk::Error;

constexpr std::int64_t kSweepBatch = 500;

Error gone() {
  return {Code::not_found, "not_found", "There is no such API token."};
}

Error too_many(std::int64_t most) {
  return {Code::resource_exhausted, "api_token_limit_reached",
          "The identity has " + std::to_string(most) +
              " live API tokens, which is the most: revoke one first."};
}

struct Deed {
  std::string_view action;
  std::string_view event;
};
constexpr Deed kDeeds[] = {{"api_token.issue", "identity.APITokenIssued"},
                           {"api_token.rotate", "identity.APITokenRotated"},
                           {"api_token.revoke", "identity.APITokenRevoked"}};

std::string event_of(std::string_view action) {
  for (const Deed& deed : kDeeds) {
    if (deed.action == action) {
      return std::string(deed.event);
    }
  }
  return {};
}

}  // namespace

sdk::AuditEntry owner_entry(const Caller& caller, const sdk::Uuid& domain_id, std::string relation,
                            std::string object_type, const sdk::Uuid& object_id) {
  sdk::AuditEntry entry =
      audit_entry(caller.call, domain_id, std::move(relation), std::move(object_type), object_id);
  if (domain_id.is_zero()) {
    entry.in_platform();
  }
  entry.subject_type = caller.actor.type;
  entry.subject_id = caller.actor.id.text();
  entry.subject_domain_id = caller.actor.domain_id;
  return entry;
}

sdk::Status ApiTokenService::refuse(const IssueApiToken& order) const {
  const auto longest = std::chrono::floor<std::chrono::seconds>(policy_.longest_ttl);
  if (order.ttl_seconds && *order.ttl_seconds > longest.count()) {
    return Error{Code::invalid_argument, "ttl_too_long",
                 "\"ttl_seconds\" may be " + std::to_string(longest.count()) +
                     " at most in this deployment."};
  }
  if (order.owner.federation.value_or(FederationKind::api_token) != FederationKind::api_token) {
    return Error{Code::invalid_argument, "federated_identity",
                 "This service identity signs in by " +
                     std::string(text_of(*order.owner.federation)) + " and has no API tokens."};
  }
  if (order.owner.disabled) {
    return Error{Code::invalid_argument, "identity_disabled", "The identity is disabled."};
  }
  return {};
}

sdk::Result<FreshApiToken> ApiTokenService::issue(const IssueApiToken& order,
                                                  const Caller& caller) const {
  if (auto refused = refuse(order); !refused.ok()) {
    return refused.error();
  }
  const sdk::Instant now = ports_.clock.now();
  ApiTokenRow token{
      sdk::Uuid::v7(sdk::to_ms(now)), order.owner, order.env_prefix, now, now, {}, {}};
  token.expires_at += order.ttl_seconds ? std::chrono::seconds(*order.ttl_seconds)
                                        : std::min(policy_.default_ttl, policy_.longest_ttl);
  MintedBearer minted = mint_api_token(order.env_prefix, token.id);
  auto tx = ports_.store.begin();
  if (!tx.ok()) {
    return tx.error();
  }
  auto live = tokens_.count_exclusively(*tx, order.owner.id, now);
  if (!live.ok()) {
    return live.error();
  }
  if (*live >= policy_.most_live) {
    return too_many(policy_.most_live);
  }
  auto inserted = tokens_.insert(*tx, token, minted.secret_sha256, caller.credential_id);
  auto told = inserted.ok() ? tell(*tx, token, caller, "api_token.issue") : std::move(inserted);
  auto committed = told.ok() ? tx->commit() : std::move(told);
  if (!committed.ok()) {
    return committed.error();
  }
  return FreshApiToken{std::move(token), std::move(minted.plaintext), {}};
}

sdk::Result<std::vector<ApiTokenRow>> ApiTokenService::list(const sdk::Uuid& owner_id) const {
  return tokens_.live_of(owner_id, ports_.clock.now());
}

sdk::Result<ApiTokenRow> ApiTokenService::find(const sdk::Uuid& id) const {
  return tokens_.find_live(id, ports_.clock.now());
}

sdk::Result<FreshApiToken> ApiTokenService::rotate(const ApiTokenRow& token,
                                                   const Caller& caller) const {
  const sdk::Instant now = ports_.clock.now();
  const sdk::Instant deadline = rotation_deadline(now, policy_.rotation_grace, token.expires_at);
  MintedBearer minted = mint_api_token(token.env_prefix, token.id);
  auto tx = ports_.store.begin();
  if (!tx.ok()) {
    return tx.error();
  }
  auto rotated = tokens_.rotate(*tx, token.id, minted.secret_sha256, now, deadline);
  if (!rotated.ok()) {
    return rotated.error();
  }
  if (!*rotated) {
    return gone();
  }
  auto told = tell(*tx, token, caller, "api_token.rotate");
  auto committed = told.ok() ? tx->commit() : std::move(told);
  if (!committed.ok()) {
    return committed.error();
  }
  forget_(token.id);
  return FreshApiToken{token, std::move(minted.plaintext), deadline};
}

sdk::Status ApiTokenService::revoke(const ApiTokenRow& token, const Caller& caller) const {
  auto tx = ports_.store.begin();
  if (!tx.ok()) {
    return tx.error();
  }
  auto revoked = tokens_.revoke(*tx, token.id, ports_.clock.now());
  if (!revoked.ok()) {
    return revoked.error();
  }
  if (!*revoked) {
    return gone();
  }
  auto told = tell(*tx, token, caller, "api_token.revoke");
  auto committed = told.ok() ? tx->commit() : std::move(told);
  if (committed.ok()) {
    forget_(token.id);
  }
  return committed;
}

sdk::Status ApiTokenService::tell(const sdk::Transaction& tx, const ApiTokenRow& token,
                                  const Caller& caller, std::string_view action) const {
  const nlohmann::json payload{{"id", token.id.text()},
                               {"identity_ref", token.owner.reference()},
                               {"env_prefix", token.env_prefix},
                               {"expires_at", sdk::rfc3339(token.expires_at)},
                               {"by", caller.actor.type + ":" + caller.actor.id.text()},
                               {"credential_id", caller.credential_id.text()}};
  auto appended = ports_.outbox.append(tx, {{},
                                            token.owner.domain_id,
                                            event_of(action),
                                            "api_token",
                                            token.id,
                                            payload.dump(),
                                            caller.call.correlation_id});
  if (!appended.ok()) {
    return appended;
  }
  return ports_.audit.stage(
      tx, owner_entry(caller, token.owner.domain_id, std::string(action), "api_token", token.id));
}

sdk::Status ApiTokenService::sweep(const sdk::JobRun& run) const {
  std::int64_t most = kSweepBatch;
  while (most >= kSweepBatch && !run.should_stop()) {
    auto tx = run.begin();
    if (!tx.ok()) {
      return tx.error();
    }
    const sdk::Instant now = ports_.clock.now();
    auto swept = tokens_.sweep(*tx, now, now - policy_.keep_ended, kSweepBatch);
    auto committed = swept.ok() ? tx->commit() : sdk::Status(swept.error());
    if (!committed.ok()) {
      return committed;
    }
    most = *swept;
  }
  return {};
}

}  // namespace plexsphere::identity
