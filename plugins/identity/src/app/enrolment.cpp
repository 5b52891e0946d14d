// The changing half of registration: Resource, keys, and the one transaction.
#include <nlohmann/json.hpp>

#include "app/digest.hpp"
#include "app/nsk_seal.hpp"
#include "app/registration_attempt.hpp"
#include "plexsphere/sdk/encoding.hpp"
#include "plexsphere/sdk/failpoint.hpp"

namespace plexsphere::identity {
namespace {

sdk::AuditEntry node_entry(const CallContext& call, const NodeRecord& node, std::string relation,
                           std::string object_type, const sdk::Uuid& object_id) {
  sdk::AuditEntry entry =
      audit_entry(call, node.domain_id, std::move(relation), std::move(object_type), object_id);
  entry.subject_type = "node";
  entry.subject_id = node.id.text();
  entry.subject_domain_id = node.domain_id;
  return entry;
}

std::string registered_payload(const NodeRecord& node, std::int64_t generation) {
  return nlohmann::json{{"node_id", node.id.text()},
                        {"domain_id", node.domain_id.text()},
                        {"project_id", node.project_id.text()},
                        {"resource_id", node.resource_id.text()},
                        {"kind", node.kind},
                        {"mesh_ip", node.mesh_ip},
                        {"public_key", sdk::base64_encode(node.public_key)},
                        {"credential_generation", generation},
                        {"registered_at", sdk::rfc3339(node.registered_at)}}
      .dump();
}

}  // namespace

sdk::Result<Registered> Registration::enrol(Attempt& attempt) const {
  auto found = resolve(attempt);
  if (!found.ok()) {
    return translated(found.error());
  }
  if (!kind_fits(attempt.token.token.kind, found->resource_kind)) {
    return token_refusal("kind_mismatch");
  }
  const sdk::Uuid node_id = sdk::Uuid::v7(sdk::to_ms(ports_.clock.now()));
  auto key = make_key(found->domain_id, node_id);
  if (!key.ok()) {
    return key.error();
  }
  auto outcome =
      enrol_in_tx(attempt, *found, signing_key_of(found->domain_id), std::move(*key), node_id);
  if (outcome.ok()) {
    return outcome;
  }
  return outcome.error().reason == "token_changed"
             ? overtaken(attempt)
             : sdk::Result<Registered>(translated(outcome.error()));
}

// Somebody was faster. It may have been this agent's own earlier attempt.
sdk::Result<Registered> Registration::overtaken(Attempt& attempt) const {
  if (auto again = open_token(attempt); !again.ok()) {
    return again.error();
  }
  const TokenRecord& token = attempt.token.token;
  if (token.revoked_at) {
    return token_refusal("token_revoked");
  }
  if (!token.consumed_at) {
    return token_refusal("token_expired");
  }
  return may_replay(attempt) ? replay(attempt)
                             : sdk::Result<Registered>(token_refusal("token_consumed"));
}

// Read before the transaction, since a cold cache asks the database, and judged in it: whoever
// comes second is told of the token first.
Registration::SigningKey Registration::signing_key_of(const sdk::Uuid& domain_id) const {
  return ports_.signing.active_key("domain:" + domain_id.text());
}

sdk::Result<sdk::Placement> Registration::resolve(const Attempt& attempt) const {
  const std::string& wanted = attempt.command.requested_resource_id;
  const auto id = wanted.empty() ? sdk::Uuid{} : sdk::Uuid::parse(wanted).value_or(sdk::Uuid{});
  if (!wanted.empty() && id.is_zero()) {
    return resource_missing();
  }
  return ports_.tenancy.find_resource(attempt.command.project_id, attempt.command.resource_handle,
                                      id);
}

// Outside the transaction: sealing may have to make the Domain's first wrap key.
sdk::Result<Registration::NewKey> Registration::make_key(const sdk::Uuid& domain_id,
                                                         const sdk::Uuid& node_id) const {
  std::string bytes(32, '\0');
  sdk::random_bytes(bytes.data(), bytes.size());
  SecretText plaintext(std::move(bytes));
  auto sealed = ports_.seal.seal(nsk_scope(domain_id), nsk_binding(node_id), plaintext.view());
  if (!sealed.ok()) {
    return sealed.error();
  }
  const sdk::Instant now = ports_.clock.now();
  SecretKeyRecord record{
      sdk::Uuid::v7(sdk::to_ms(now)), 1, sha256(plaintext.view()), std::move(*sealed), 0, now};
  return NewKey{std::move(plaintext), std::move(record)};
}

sdk::Status Registration::consume(const sdk::Transaction& tx, const Attempt& attempt,
                                  const sdk::Uuid& node_id, sdk::Instant now) const {
  const TokenRecord& token = attempt.token.token;
  auto consumed = tokens_.consume(
      tx, {token.id, attempt.command.project_id, token.kind, attempt.nonce_sha256, node_id, now});
  if (!consumed.ok()) {
    return consumed.error();
  }
  if (!*consumed) {
    return sdk::Error{sdk::Code::aborted, "token_changed", "The token is not live any more."};
  }
  return {};
}

// Stages what others learn of the Node: the event, and both audit rows.
sdk::Status Registration::tell(const sdk::Transaction& tx, const Attempt& attempt,
                               const NodeRecord& node, std::int64_t generation) const {
  const CallContext& call = attempt.command.call;
  auto told = ports_.outbox.append(
      tx, {sdk::Uuid{}, node.domain_id, "tenancy.NodeRegistered", "node", node.id,
           registered_payload(node, generation), call.correlation_id});
  if (!told.ok()) {
    return told;
  }
  const sdk::Uuid& token_id = node.bootstrap_token_id;
  const bool replayed = generation > 1;
  auto staged = ports_.audit.stage(
      tx, node_entry(call, node, replayed ? "bootstrap_token.replay" : "bootstrap_token.consume",
                     "bootstrap_token", token_id));
  if (!staged.ok()) {
    return staged;
  }
  return ports_.audit.stage(
      tx, node_entry(call, node, replayed ? "node.credential_replace" : "node.register", "node",
                     node.id));
}

sdk::Result<std::vector<sdk::Peer>> Registration::conclude(sdk::Transaction& tx,
                                                           const Attempt& attempt,
                                                           const NodeRecord& node,
                                                           std::int64_t generation) const {
  auto peers = ports_.peers.snapshot(tx, node.domain_id, node.id);
  if (!peers.ok()) {
    return peers.error();
  }
  if (auto told = tell(tx, attempt, node, generation); !told.ok()) {
    return told.error();
  }
  PLEXSPHERE_FAILPOINT("registration.staged");
  if (auto committed = tx.commit(); !committed.ok()) {
    return committed.error();
  }
  return peers;
}

sdk::Result<Registered> Registration::enrol_in_tx(Attempt& attempt, const sdk::Placement& found,
                                                  const SigningKey& signing_key, NewKey key,
                                                  const sdk::Uuid& node_id) const {
  auto tx = ports_.store.begin();
  if (!tx.ok()) {
    return tx.error();
  }
  auto pinned = ports_.tenancy.pin_resource(*tx, found.resource_id);
  if (!pinned.ok()) {
    return pinned.error();
  }
  if (pinned->domain_id != found.domain_id || pinned->project_id != found.project_id) {
    return resource_missing();  // it was moved since; the key was sealed for the other Domain
  }
  if (auto consumed = consume(*tx, attempt, node_id, key.record.created_at); !consumed.ok()) {
    return consumed.error();
  }
  PLEXSPHERE_FAILPOINT("registration.consumed");
  if (!signing_key.ok()) {
    return signing_away();
  }
  auto mesh_ip = ports_.ipam.allocate(*tx, pinned->domain_id, pinned->mesh_cidr,
                                      pinned->sub_range_cidr, node_id);
  if (!mesh_ip.ok()) {
    return mesh_ip.error();
  }
  PLEXSPHERE_FAILPOINT("registration.addressed");
  const NodeRecord node{node_id,
                        pinned->domain_id,
                        pinned->project_id,
                        pinned->resource_id,
                        pinned->resource_handle,
                        pinned->resource_kind,
                        *mesh_ip,
                        attempt.public_key,
                        attempt.token.token.id,
                        key.record.created_at};
  if (auto inserted = nodes_.insert(*tx, node, key.record); !inserted.ok()) {
    return inserted.error();
  }
  PLEXSPHERE_FAILPOINT("registration.node_and_nsk");  // one statement: nothing is in between
  const sdk::Tuple parent{{"node", node_id.text()}, "parent", {"project", node.project_id.text()}};
  if (auto written = ports_.authz.write(*tx, std::span(&parent, 1)); !written.ok()) {
    return written.error();
  }
  auto peers = conclude(*tx, attempt, node, key.record.generation);
  if (!peers.ok()) {
    return peers.error();
  }
  return Registered{
      node_id,           std::move(*mesh_ip), signing_key.value(), std::move(key.plaintext),
      std::move(*peers), pinned->mesh_cidr};
}

}  // namespace plexsphere::identity
