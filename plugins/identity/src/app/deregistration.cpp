#include "app/deregistration.hpp"

#include <nlohmann/json.hpp>

namespace plexsphere::identity {
namespace {

sdk::Error key_revoked() {
  return {sdk::Code::unauthenticated, "nsk_revoked", "The Node secret key was revoked."};
}

std::string payload(const HeldNode& node, std::int64_t generation, sdk::Instant now) {
  return nlohmann::json{{"node_id", node.id.text()},
                        {"domain_id", node.domain_id.text()},
                        {"project_id", node.project_id.text()},
                        {"resource_id", node.resource_id.text()},
                        {"kind", node.kind},
                        {"credential_generation", generation},
                        {"deregistered_at", sdk::rfc3339(now)}}
      .dump();
}

}  // namespace

sdk::Status Deregistration::by_node(const Actor& node, std::int64_t generation,
                                    const CallContext& call) const {
  auto tx = ports_.store.begin();
  if (!tx.ok()) {
    return tx.error();
  }
  auto held = nodes_.hold(*tx, node.id);
  if (!held.ok()) {
    return held.error();
  }
  if (held->deregistered) {
    return key_revoked();
  }
  auto revoked = nodes_.revoke_live_key(*tx, node.id, ports_.clock.now());
  if (!revoked.ok()) {
    return revoked.error();
  }
  if (*revoked != generation) {
    return key_revoked();  // a newer key is live, and stays: nothing is committed
  }
  return end(*tx, *held, generation, node, call);
}

sdk::Status Deregistration::by_operator(const sdk::Uuid& node_id, const Actor& actor,
                                        const CallContext& call) const {
  auto tx = ports_.store.begin();
  if (!tx.ok()) {
    return tx.error();
  }
  auto held = nodes_.hold(*tx, node_id);
  if (!held.ok()) {
    return held.error();
  }
  if (held->deregistered) {
    return {};
  }
  auto revoked = nodes_.revoke_live_key(*tx, node_id, ports_.clock.now());
  if (!revoked.ok()) {
    return revoked.error();
  }
  return end(*tx, *held, *revoked, actor, call);
}

sdk::Status Deregistration::end(sdk::Transaction& tx, const HeldNode& node, std::int64_t generation,
                                const Actor& actor, const CallContext& call) const {
  const sdk::Instant now = ports_.clock.now();
  if (auto ended = nodes_.deregister(tx, node.id, now); !ended.ok()) {
    return ended;
  }
  if (auto released = ports_.ipam.release(tx, node.id); !released.ok()) {
    return released;
  }
  if (auto gone = ports_.authz.remove_object(tx, {"node", node.id.text()}); !gone.ok()) {
    return gone;
  }
  if (auto told = tell(tx, node, generation, actor, call, now); !told.ok()) {
    return told;
  }
  if (auto committed = tx.commit(); !committed.ok()) {
    return committed;
  }
  forget_(node.id);
  ports_.log.info(
      "node_deregistered",
      {{"node_id", node.id.text()}, {"by", actor.type}, {"correlation_id", call.correlation_id}});
  return {};
}

sdk::Status Deregistration::tell(const sdk::Transaction& tx, const HeldNode& node,
                                 std::int64_t generation, const Actor& actor,
                                 const CallContext& call, sdk::Instant now) const {
  auto told =
      ports_.outbox.append(tx, {sdk::Uuid{}, node.domain_id, "tenancy.NodeDeregistered", "node",
                                node.id, payload(node, generation, now), call.correlation_id});
  if (!told.ok()) {
    return told;
  }
  sdk::AuditEntry entry = audit_entry(call, node.domain_id, "node.deregister", "node", node.id);
  entry.subject_type = actor.type;
  entry.subject_id = actor.id.text();
  entry.subject_domain_id = actor.domain_id;
  return ports_.audit.stage(tx, entry);
}

}  // namespace plexsphere::identity
