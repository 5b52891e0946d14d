#include "app/key_rotations.hpp"

#include <nlohmann/json.hpp>

#include "plexsphere/sdk/encoding.hpp"

namespace plexsphere::mesh {
namespace {

using Json = nlohmann::ordered_json;

sdk::Event event_of(std::string type, const LockedPeer& peer, const sdk::Uuid& node_id,
                    const sdk::AuditEntry& caller, const Json& payload) {
  return {{},      peer.domain_id, std::move(type),      "node",
          node_id, payload.dump(), caller.correlation_id};
}

sdk::AuditEntry did(sdk::AuditEntry caller, std::string action, const LockedPeer& peer,
                    const sdk::Uuid& node_id) {
  caller.relation = std::move(action);
  caller.object_type = "node";
  caller.object_id = node_id.text();
  return caller.in_domain(peer.domain_id);
}

sdk::Error no_pending() {
  return {sdk::Code::failed_precondition, "no_pending_rotation",
          "No rotation of this Node's mesh key is pending."};
}

sdk::Error unchanged() {
  return {sdk::Code::failed_precondition, "public_key_unchanged",
          "\"new_public_key\" is the Node's current key; a rotation needs another one."};
}

}  // namespace

sdk::Result<RotationRequested> KeyRotations::request(const sdk::Uuid& node_id,
                                                     sdk::AuditEntry caller) const {
  auto tx = store_.begin();
  if (!tx.ok()) {
    return tx.error();
  }
  const auto peer = store_.lock(*tx, node_id);
  if (!peer.ok()) {
    return peer.error();
  }
  const auto pending = store_.pending(*tx, node_id);
  if (!pending.ok()) {
    return pending.error();
  }
  if (pending->has_value()) {
    return RotationRequested{**pending, peer->peer_id, true};
  }
  const auto rotation_id = sdk::Uuid::v7(sdk::to_ms(services_.clock.now()));
  if (auto opened = open(*tx, *peer, node_id, rotation_id, std::move(caller)); !opened.ok()) {
    return opened.error();
  }
  return RotationRequested{rotation_id, peer->peer_id, false};
}

sdk::Status KeyRotations::open(sdk::Transaction& tx, const LockedPeer& peer,
                               const sdk::Uuid& node_id, const sdk::Uuid& rotation_id,
                               sdk::AuditEntry caller) const {
  if (auto done = store_.insert(tx, rotation_id, node_id); !done.ok()) {
    return done;
  }
  const Json payload{{"node_id", node_id.text()},
                     {"peer_id", peer.peer_id.text()},
                     {"rotation_id", rotation_id.text()}};
  if (auto done =
          services_.outbox.append(tx, event_of("rotate_keys", peer, node_id, caller, payload));
      !done.ok()) {
    return done;
  }
  if (auto done = services_.audit.stage(
          tx, did(std::move(caller), "node.key_rotation_request", peer, node_id));
      !done.ok()) {
    return done;
  }
  return tx.commit();
}

sdk::Result<RotationReceipt> KeyRotations::complete(const sdk::Principal& node,
                                                    std::string_view public_key,
                                                    sdk::AuditEntry caller) const {
  // Before the transaction: sealing may have to read or make the Domain's wrap key.
  const auto secret = secrets_.make(node.domain_id, node.id);
  if (!secret.ok()) {
    return secret.error();
  }
  auto tx = store_.begin();
  if (!tx.ok()) {
    return tx.error();
  }
  const auto peer = store_.lock_own(*tx, node.id, node.generation);
  if (!peer.ok()) {
    return peer.error();
  }
  const auto facts = store_.facts(*tx, node.id);
  if (!facts.ok()) {
    return facts.error();
  }
  switch (judge_rotation(*facts, public_key)) {
    case RotationVerdict::repeat_receipt:
      return facts->last_completed->receipt;
    case RotationVerdict::no_pending:
      return no_pending();
    case RotationVerdict::key_unchanged:
      return unchanged();
    case RotationVerdict::complete:
      break;
  }
  const auto rotation_id = sdk::Uuid::parse(*facts->pending_rotation).value_or(sdk::Uuid{});
  return close(*tx, *peer, node.id, rotation_id, public_key, *secret, std::move(caller));
}

sdk::Result<RotationReceipt> KeyRotations::close(sdk::Transaction& tx, const LockedPeer& peer,
                                                 const sdk::Uuid& node_id,
                                                 const sdk::Uuid& rotation_id,
                                                 std::string_view public_key,
                                                 const WrappedSecret& secret,
                                                 sdk::AuditEntry caller) const {
  if (auto done = store_.complete(tx, rotation_id, node_id, public_key, secret); !done.ok()) {
    return done.error();
  }
  RotationReceipt receipt{rotation_id.text(), {secret.kid.text(), secret.sealed.wrap_key_version}};
  const Json payload{
      {"node_id", node_id.text()},          {"peer_id", peer.peer_id.text()},
      {"rotation_id", receipt.rotation_id}, {"public_key", sdk::base64_encode(public_key)},
      {"kid", receipt.secret.kid},          {"wrap_key_version", receipt.secret.wrap_key_version}};
  if (auto done =
          services_.outbox.append(tx, event_of("peer_key_rotated", peer, node_id, caller, payload));
      !done.ok()) {
    return done.error();
  }
  if (auto done = services_.audit.stage(
          tx, did(std::move(caller), "node.key_rotation_complete", peer, node_id));
      !done.ok()) {
    return done.error();
  }
  if (auto done = tx.commit(); !done.ok()) {
    return done.error();
  }
  return receipt;
}

sdk::Result<RotationPreview> KeyRotations::preview(const sdk::Uuid& node_id) const {
  auto reach = store_.reach(node_id);
  if (!reach.ok()) {
    return reach.error();
  }
  if (!reach->has_value()) {
    return sdk::Error{sdk::Code::not_found, "node_not_found", "There is no such Node."};
  }
  const auto policy = services_.tenancy.reachability_policy((**reach).self.domain_id);
  if (!policy.ok()) {
    return policy.error();
  }
  const auto estimate = estimate_rotation(policy->heartbeat_interval, (**reach).peers.size());
  return RotationPreview{node_id, std::move(**reach), estimate};
}

}  // namespace plexsphere::mesh
