// The context's stores, ports and projections through the real px.store and px.outbox, in the
// transactions of another context.
#include "mesh_process.hpp"

using namespace plexsphere;
using namespace plexsphere::mesh;
using namespace plexsphere::mesh::test;

namespace {

constexpr auto kPolicy = 90s;

HeartbeatReport report(const std::string& version = "1.0") {
  return {Time{}, std::string(32, 'c'), version, R"({"type":"full_cone"})"};
}

}  // namespace

TEST_CASE("every statement of this context is right in the server's eyes", "[mesh][store]") {
  Process process;
  CHECK(process.wrong_statements().empty());
}

TEST_CASE("what another context registers is a peer when its transaction commits, not before",
          "[mesh][store]") {
  Process process;
  const auto domain = some_id();
  const auto first = some_id();
  const auto second = some_id();
  const auto address = registered(process, domain, first);
  CHECK(address == "10.0.0.2");
  registered(process, domain, second);
  {
    auto tx = process.guest_transaction();
    const auto address3 = process.ipam.allocate(tx, domain, "10.0.0.0/24", "", some_id());
    CHECK(*address3 == "10.0.0.4");
    const auto peers = process.snapshot.snapshot(tx, domain, second);
    REQUIRE(peers.ok());
    REQUIRE(peers->size() == 1);
    CHECK(peers->front().node_id == first);
    CHECK(peers->front().mesh_ip == "10.0.0.2");
    CHECK(peers->front().public_key == sdk::base64_encode(kKey));
  }  // rolled back: nobody took 10.0.0.4
  CHECK(registered(process, domain, some_id()) == "10.0.0.4");
}

TEST_CASE("an exhausted pool is told in the port's words", "[mesh][store]") {
  Process process;
  const auto allocate = [&](const std::string& sub_range, const sdk::Uuid& domain) {
    auto tx = process.guest_transaction();
    const auto address = process.ipam.allocate(tx, domain, "10.0.0.0/30", sub_range, some_id());
    if (address.ok()) {
      REQUIRE(tx.commit().ok());
      return *address;
    }
    CHECK(address.error().code == sdk::Code::resource_exhausted);
    return address.error().reason;
  };
  const auto domain = some_id();
  CHECK(allocate("", domain) == "10.0.0.2");
  CHECK(allocate("", domain) == "pool_exhausted");
  CHECK(allocate("10.0.0.0/30", domain) == "subrange_exhausted");
}

TEST_CASE("a released address rests", "[mesh][store]") {
  Process process;
  const auto domain = some_id();
  const auto node = some_id();
  registered(process, domain, node);
  auto tx = process.guest_transaction();
  REQUIRE(process.ipam.release(tx, node).ok());
  REQUIRE(tx.commit().ok());
  CHECK(registered(process, domain, some_id()) == "10.0.0.3");
}

TEST_CASE("an unreadable event stops the transaction that emits it", "[mesh][store]") {
  Process process;
  auto tx = process.guest_transaction();
  REQUIRE(process.guest_outbox()
              .append(tx, {{},
                           some_id(),
                           "tenancy.NodeRegistered",
                           "node",
                           some_id(),
                           R"({"node_id":"x"})",
                           "c-1"})
              .ok());
  const auto done = tx.commit();
  REQUIRE_FALSE(done.ok());
  CHECK(done.error().reason == "malformed_event");
}

TEST_CASE("a reserved range told by an event leaves the Domain's pool", "[mesh][store]") {
  Process process;
  const auto domain = some_id();
  auto tx = process.guest_transaction();
  REQUIRE(process.guest_outbox()
              .append(tx, {{},
                           domain,
                           "ProjectCreated",
                           "project",
                           some_id(),
                           R"({"sub_range_cidr":"10.0.0.0/28"})",
                           "c-1"})
              .ok());
  REQUIRE(tx.commit().ok());
  CHECK(registered(process, domain, some_id()) == "10.0.0.16");
}

TEST_CASE("a heartbeat is stored once its credential holds, by the database's clock",
          "[mesh][store]") {
  Process process;
  const auto domain = some_id();
  const auto node = some_id();
  const auto address = registered(process, domain, node);
  CHECK_FALSE((**process.peers.read_heartbeats(node)).record.last_heartbeat_at);

  const auto accepted = process.peers.record_heartbeat(node, 1, report(), kPolicy);
  REQUIRE(accepted.ok());
  const auto reading = process.peers.read_heartbeats(node);
  REQUIRE(reading.ok());
  CHECK((**reading).domain_id == domain);
  CHECK((**reading).record.last_heartbeat_at == accepted->accepted_at);
  CHECK((**reading).record.healthy_since == accepted->accepted_at);
  CHECK((**reading).now >= accepted->accepted_at);

  const auto again = process.peers.record_heartbeat(node, 1, report("2.0"), kPolicy);
  REQUIRE(again.ok());
  CHECK(again->accepted_at > accepted->accepted_at);
  CHECK((**process.peers.read_heartbeats(node)).record.healthy_since == accepted->accepted_at);
  CHECK(cluster().query("SELECT binary_version || ' ' || nat_summary FROM mesh.peer "
                        "WHERE node_id = '" +
                        node.text() + "'") == R"(2.0 {"type": "full_cone"})");

  cluster().query("UPDATE mesh.peer SET last_heartbeat_at = now() - interval '91 s'");
  const auto returned = process.peers.record_heartbeat(node, 1, report(), kPolicy);
  CHECK((**process.peers.read_heartbeats(node)).record.healthy_since == returned->accepted_at);

  registered(process, domain, node, 2, address);  // a replayed registration
  CHECK(process.peers.record_heartbeat(node, 1, report(), kPolicy).error().reason == "nsk_revoked");
  CHECK(process.peers.record_heartbeat(node, 2, report(), kPolicy).ok());
  CHECK(process.peers.record_heartbeat(some_id(), 1, report(), kPolicy).error().reason ==
        "node_not_found");
}

TEST_CASE("a Node's state has every other live Node of its Domain, in order", "[mesh][store]") {
  Process process;
  const auto domain = some_id();
  std::vector<sdk::Uuid> nodes{some_id(), some_id(), some_id(), some_id()};
  for (const auto& node : nodes) {
    registered(process, domain, node);
  }
  registered(process, some_id(), some_id());
  auto tx = process.guest_transaction();
  REQUIRE(process.guest_outbox()
              .append(tx, {{},
                           domain,
                           "tenancy.NodeDeregistered",
                           "node",
                           nodes[3],
                           R"({"node_id":")" + nodes[3].text() + "\"}",
                           "c-1"})
              .ok());
  REQUIRE(tx.commit().ok());
  REQUIRE(process.peers.record_heartbeat(nodes[0], 1, report(), kPolicy).ok());

  const auto state = process.peers.read_state(nodes[0]);
  REQUIRE(state.ok());
  REQUIRE(state->has_value());
  CHECK((**state).self.domain_id == domain);
  CHECK((**state).self.record.last_heartbeat_at);
  std::vector<std::string> expected{nodes[1].text(), nodes[2].text()};
  std::ranges::sort(expected);
  REQUIRE((**state).peers.size() == 2);
  CHECK((**state).peers[0].node_id == expected[0]);
  CHECK((**state).peers[1].node_id == expected[1]);
  CHECK_FALSE(process.peers.read_state(nodes[3])->has_value());
  CHECK_FALSE(process.peers.read_state(some_id())->has_value());
}
