#include "app/token_service.hpp"

#include <memory>
#include <span>

namespace plexsphere::identity {
namespace {

constexpr std::int64_t kSweepBatch = 500;

sdk::Error overloaded() {
  return {sdk::Code::resource_exhausted, "registration_overloaded",
          "Too many requests are waiting for Argon2id; try again."};
}

sdk::AuditEntry token_entry(const CallContext& call, const Actor& actor, std::string relation,
                            const sdk::Uuid& domain_id, const sdk::Uuid& token_id) {
  sdk::AuditEntry entry =
      audit_entry(call, domain_id, std::move(relation), "bootstrap_token", token_id);
  entry.subject_type = actor.type;
  entry.subject_id = actor.id.text();
  entry.subject_domain_id = actor.domain_id;
  return entry;
}

}  // namespace

// Owned by the step that is queued or running.
struct TokenService::Order {
  IssueCommand command;
  IssueDone done;
  Admission::Ticket ticket;
  sdk::Uuid domain_id;
  MintedToken minted;
  std::string hash;
};

void TokenService::issue(IssueCommand command, IssueDone done) const {
  auto domain = ports_.tenancy.project_domain(command.project_id);
  if (!domain.ok()) {
    done(domain.error());
    return;
  }
  auto ticket = lanes_.admission.admit();
  if (!ticket) {
    done(overloaded());
    return;
  }
  MintedToken minted = codec_.mint(command.env_prefix, command.project_id, command.kind);
  auto order = std::make_shared<Order>(Order{
      std::move(command), std::move(done), std::move(*ticket), *domain, std::move(minted), {}});
  const auto store_it = [this, order] {
    order->done(
        store_issued(order->command, order->domain_id, std::move(order->minted), order->hash));
  };
  const auto hash_it = [this, order, store_it] {
    auto hash = hash_.hash(order->minted.plaintext.view());
    if (!hash.ok()) {
      order->done(hash.error());
      return;
    }
    order->hash = std::move(*hash);
    if (!lanes_.change.submit(store_it)) {
      order->done(overloaded());
    }
  };
  if (!lanes_.proof.submit(hash_it)) {
    order->done(overloaded());
  }
}

sdk::Result<IssuedToken> TokenService::store_issued(IssueCommand& command,
                                                    const sdk::Uuid& domain_id, MintedToken minted,
                                                    const std::string& hash) const {
  const sdk::Instant now = ports_.clock.now();
  TokenRecord token{sdk::Uuid::v7(sdk::to_ms(now)),
                    domain_id,
                    command.project_id,
                    command.kind,
                    command.env_prefix,
                    command.actor.id,
                    now,
                    now + std::chrono::seconds(command.ttl_seconds),
                    {},
                    {}};
  auto tx = ports_.store.begin();
  if (!tx.ok()) {
    return tx.error();
  }
  if (auto inserted = tokens_.insert(*tx, token, minted.selector, hash); !inserted.ok()) {
    return inserted.error();
  }
  const sdk::Tuple parent{
      {"bootstrap_token", token.id.text()}, "parent", {"project", token.project_id.text()}};
  if (auto written = ports_.authz.write(*tx, std::span(&parent, 1)); !written.ok()) {
    return written.error();
  }
  auto staged = ports_.audit.stage(
      *tx, token_entry(command.call, command.actor, "bootstrap_token.issue", domain_id, token.id));
  if (!staged.ok()) {
    return staged.error();
  }
  if (auto committed = tx->commit(); !committed.ok()) {
    return committed.error();
  }
  return IssuedToken{std::move(token), std::move(minted.plaintext)};
}

sdk::Result<std::vector<TokenRecord>> TokenService::list(const sdk::Uuid& project_id,
                                                         const sdk::Uuid& after,
                                                         std::int64_t limit) const {
  if (auto domain = ports_.tenancy.project_domain(project_id); !domain.ok()) {
    return domain.error();
  }
  return tokens_.page(project_id, after, limit);
}

sdk::Result<TokenRecord> TokenService::get(const sdk::Uuid& project_id, const sdk::Uuid& id) const {
  return tokens_.find(project_id, id);
}

sdk::Result<TokenUsage> TokenService::usage(const sdk::Uuid& id) const {
  auto found = tokens_.find_purchase(id);
  if (!found.ok()) {
    return found.error();
  }
  const std::string_view state = state_of(found->token.facts(), ports_.clock.now());
  return TokenUsage{std::move(*found), state};
}

sdk::Status TokenService::revoke(const sdk::Uuid& project_id, const sdk::Uuid& id,
                                 const Actor& actor, const CallContext& call) const {
  auto token = tokens_.find(project_id, id);
  if (!token.ok()) {
    return token.error();
  }
  auto tx = ports_.store.begin();
  if (!tx.ok()) {
    return tx.error();
  }
  auto revoked = tokens_.revoke(*tx, project_id, id, ports_.clock.now());
  if (!revoked.ok()) {
    return revoked.error();
  }
  if (!*revoked) {
    // Both ends are final, so one more look says which it was.
    auto ended = tokens_.find(project_id, id);
    if (!ended.ok()) {
      return ended.error();
    }
    return sdk::Error{sdk::Code::failed_precondition,
                      ended->consumed_at ? "token_consumed" : "token_revoked",
                      ended->consumed_at ? "The token has enrolled a Node already."
                                         : "The token was revoked already."};
  }
  auto staged = ports_.audit.stage(
      *tx, token_entry(call, actor, "bootstrap_token.revoke", token->domain_id, id));
  if (!staged.ok()) {
    return staged;
  }
  return tx->commit();
}

sdk::Status TokenService::sweep(const sdk::JobRun& run) const {
  while (!run.should_stop()) {
    auto noted = sweep_batch(run);
    if (!noted.ok()) {
      return noted.error();
    }
    if (*noted < static_cast<std::size_t>(kSweepBatch)) {
      break;
    }
  }
  return {};
}

sdk::Result<std::size_t> TokenService::sweep_batch(const sdk::JobRun& run) const {
  auto tx = run.begin();
  if (!tx.ok()) {
    return tx.error();
  }
  auto expired = tokens_.note_expired(*tx, ports_.clock.now(), kSweepBatch);
  if (!expired.ok()) {
    return expired.error();
  }
  for (const TokenRecord& token : *expired) {
    sdk::AuditEntry entry =
        audit_entry({}, token.domain_id, "bootstrap_token.expire", "bootstrap_token", token.id);
    entry.subject_type = "system";
    entry.subject_id = "bootstrap-token-sweep";
    entry.subject_domain_id = token.domain_id;
    if (auto staged = ports_.audit.stage(*tx, entry); !staged.ok()) {
      return staged.error();
    }
  }
  if (auto committed = tx->commit(); !committed.ok()) {
    return committed.error();
  }
  return expired->size();
}

}  // namespace plexsphere::identity
