// Secrets of Nodes and rotations of their mesh keys, through the host's own services.
#include "mesh_process.hpp"

using namespace plexsphere;
using namespace plexsphere::mesh;
using namespace plexsphere::mesh::test;

namespace {

const std::string kNewKey(32, '\11');

std::string one(const std::string& what, const sdk::Uuid& node) {
  return cluster().query("SELECT " + what + " WHERE node_id = '" + node.text() + "'");
}

std::string events(const sdk::Uuid& node) {
  return cluster().query(
      "SELECT coalesce(string_agg(event_type, ' ' ORDER BY id), '') FROM platform.outbox "
      "WHERE aggregate_id = '" +
      node.text() + "' AND event_type LIKE 'peer%'");
}

HeartbeatReport report() {
  return {Time{}, std::string(32, 'c'), "1.0", "{}"};
}

sdk::Uuid open_rotation(Process& process, const sdk::Uuid& node) {
  auto tx = process.rotations.begin();
  REQUIRE(tx.ok());
  REQUIRE(process.rotations.lock(*tx, node).ok());
  const auto id = some_id();
  REQUIRE(process.rotations.insert(*tx, id, node).ok());
  REQUIRE(tx->commit().ok());
  return id;
}

WrappedSecret complete_rotation(Process& process, const sdk::Uuid& domain, const sdk::Uuid& node,
                                const sdk::Uuid& rotation) {
  const auto secret = process.secrets.make(domain, node);
  REQUIRE(secret.ok());
  auto tx = process.rotations.begin();
  REQUIRE(tx.ok());
  REQUIRE(process.rotations.lock_own(*tx, node, 1).ok());
  REQUIRE(process.rotations.complete(*tx, rotation, node, kNewKey, *secret).ok());
  REQUIRE(tx->commit().ok());
  return *secret;
}

}  // namespace

TEST_CASE("a registered Node has one wrapped secret from the start, and agents hear of it once",
          "[mesh][rotation]") {
  Process process;
  const auto domain = some_id();
  const auto node = some_id();
  const auto address = registered(process, domain, node);
  CHECK(one("count(*) FROM mesh.node_secret", node) == "1");
  // Nonce, 32 bytes, tag: a secret, and not in the clear.
  CHECK(one("octet_length(wrapped) FROM mesh.node_secret", node) == "60");
  CHECK(events(node) == "peer_registered");

  registered(process, domain, node, 2, address);  // a replayed registration
  CHECK(one("count(*) FROM mesh.node_secret", node) == "1");
  CHECK(events(node) == "peer_registered");

  registered(process, domain, some_id());
  CHECK(cluster().query("SELECT count(DISTINCT s.wrapped) FROM mesh.node_secret s "
                        "JOIN mesh.peer p USING (node_id) WHERE p.domain_id = '" +
                        domain.text() + "'") == "2");
}

TEST_CASE("a Node of before its first secret gets one when it is told of again",
          "[mesh][rotation]") {
  Process process;
  const auto domain = some_id();
  const auto node = some_id();
  const auto address = registered(process, domain, node);
  cluster().query("DELETE FROM mesh.node_secret WHERE node_id = '" + node.text() + "'");
  CHECK((**process.rotations.reach(node)).secret.kid.empty());
  registered(process, domain, node, 2, address);
  CHECK_FALSE((**process.rotations.reach(node)).secret.kid.empty());
}

TEST_CASE("a rotation replaces key and secret, and its receipt can be read again",
          "[mesh][rotation]") {
  Process process;
  const auto domain = some_id();
  const auto node = some_id();
  registered(process, domain, node);
  const auto rotation = open_rotation(process, node);
  const auto before = (**process.rotations.reach(node)).secret.kid;
  const auto secret = complete_rotation(process, domain, node, rotation);

  CHECK(one("encode(public_key, 'hex') FROM mesh.peer", node) == sdk::hex_encode(kNewKey));
  CHECK(one("string_agg(CASE WHEN retired_at IS NULL THEN 'live' ELSE 'retired' END || "
            "CASE WHEN wrapped IS NULL THEN ' erased' ELSE ' kept' END, ', ' ORDER BY created_at) "
            "FROM mesh.node_secret",
            node) == "retired erased, live kept");
  CHECK((**process.rotations.reach(node)).secret.kid == secret.kid.text());
  CHECK(before != secret.kid.text());

  auto tx = process.rotations.begin();
  const auto facts = process.rotations.facts(*tx, node);
  REQUIRE(facts.ok());
  CHECK(facts->current_key == kNewKey);
  CHECK_FALSE(facts->pending_rotation);
  REQUIRE(facts->last_completed);
  CHECK(facts->last_completed->public_key == kNewKey);
  CHECK(facts->last_completed->receipt.rotation_id == rotation.text());
  CHECK(facts->last_completed->receipt.secret.kid == secret.kid.text());
  CHECK(facts->last_completed->receipt.secret.wrap_key_version == 1);

  const auto again = process.rotations.complete(*tx, rotation, node, kKey, secret);
  CHECK_FALSE(again.ok());
}

TEST_CASE("one rotation pends at a time, and the heartbeat says so until it ends",
          "[mesh][rotation]") {
  Process process;
  const auto domain = some_id();
  const auto node = some_id();
  registered(process, domain, node);
  const auto hint = [&] {
    const auto accepted = process.peers.record_heartbeat(node, 1, report(), 90s);
    REQUIRE(accepted.ok());
    return accepted->rotate_keys;
  };
  CHECK_FALSE(hint());
  const auto rotation = open_rotation(process, node);
  CHECK(hint());
  {
    auto tx = process.rotations.begin();
    CHECK(**process.rotations.pending(*tx, node) == rotation);
    const auto second = process.rotations.insert(*tx, some_id(), node);
    REQUIRE_FALSE(second.ok());
    CHECK(second.error().reason == "peer_key_rotation_pending");
  }
  complete_rotation(process, domain, node, rotation);
  CHECK_FALSE(hint());
}

TEST_CASE("a Node that leaves gives its address back, loses its secret, and its rotation ends",
          "[mesh][rotation]") {
  Process process;
  const auto domain = some_id();
  const auto node = some_id();
  registered(process, domain, node);
  open_rotation(process, node);
  deregistered(process, domain, node);
  CHECK(one("state FROM mesh.peer_key_rotation", node) == "superseded");
  CHECK(one("wrapped IS NULL AND retired_at IS NOT NULL FROM mesh.node_secret", node) == "t");
  CHECK(one("released_at IS NOT NULL FROM mesh.address", node) == "t");
  CHECK(events(node) == "peer_registered peer_deregistered");
  CHECK_FALSE(process.rotations.reach(node)->has_value());

  deregistered(process, domain, node);
  CHECK(events(node) == "peer_registered peer_deregistered");

  auto tx = process.rotations.begin();
  CHECK(process.rotations.lock(*tx, node).error().reason == "node_not_found");
}

TEST_CASE("a rotation reaches every live peer of the Domain and no other", "[mesh][rotation]") {
  Process process;
  const auto domain = some_id();
  std::vector<sdk::Uuid> nodes{some_id(), some_id(), some_id(), some_id()};
  std::ranges::sort(nodes);
  for (const auto& node : nodes) {
    registered(process, domain, node);
  }
  registered(process, some_id(), some_id());
  deregistered(process, domain, nodes[1]);
  const auto reach = process.rotations.reach(nodes[2]);
  REQUIRE(reach->has_value());
  REQUIRE((**reach).peers.size() == 2);
  CHECK((**reach).peers[0].node_id == nodes[0].text());
  CHECK((**reach).peers[1].node_id == nodes[3].text());
  CHECK((**reach).peers[0].secret.kid != (**reach).peers[1].secret.kid);
  CHECK((**reach).peers[0].secret.wrap_key_version == 1);
  CHECK_FALSE((**reach).already_pending);
  open_rotation(process, nodes[2]);
  CHECK((**process.rotations.reach(nodes[2])).already_pending);

  const auto lone = some_id();
  registered(process, some_id(), lone);
  CHECK((**process.rotations.reach(lone)).peers.empty());
}

TEST_CASE("a credential that was replaced or revoked rotates nothing", "[mesh][rotation]") {
  Process process;
  const auto domain = some_id();
  const auto node = some_id();
  registered(process, domain, node);
  const auto refusal = [&](std::int64_t generation, const sdk::Uuid& who) {
    auto tx = process.rotations.begin();
    const auto locked = process.rotations.lock_own(*tx, who, generation);
    return locked.ok() ? std::string("locked") : locked.error().reason;
  };
  CHECK(refusal(1, node) == "locked");
  CHECK(refusal(2, node) == "nsk_revoked");
  cluster().query("UPDATE mesh.peer SET credential_revoked_at = now() WHERE node_id = '" +
                  node.text() + "'");
  CHECK(refusal(1, node) == "nsk_revoked");
  CHECK(refusal(1, some_id()) == "node_not_found");
}
