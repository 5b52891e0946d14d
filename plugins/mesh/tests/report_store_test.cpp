// The stores of what Nodes tell, through the real px.store.
#include <atomic>
#include <catch2/catch.hpp>
#include <thread>

#include "mesh_process.hpp"
#include "store/capability_store.hpp"
#include "store/endpoint_store.hpp"
#include "store/report_store.hpp"
#include "store/reporting_peer.hpp"

using namespace plexsphere;
using namespace plexsphere::mesh;
using namespace plexsphere::mesh::test;

namespace {

// A process with this area's stores, and one registered Node.
struct Reporting : Process {
  Reporting() {
    REQUIRE(reporters.declare(mesh_store()).ok());
    REQUIRE(endpoints.declare(mesh_store()).ok());
    REQUIRE(reports.declare(mesh_store()).ok());
    REQUIRE(capabilities.declare(mesh_store()).ok());
    registered(*this, domain, node);
  }

  sdk::Transaction begin() {
    auto tx = mesh_store().begin();
    REQUIRE(tx.ok());
    return std::move(*tx);
  }
  Standing standing(const sdk::Uuid& id, std::int64_t generation) {
    auto tx = begin();
    const auto peer = reporters.hold(tx, id, generation);
    REQUIRE(peer.ok());
    return peer->standing;
  }
  AcceptedEndpoint endpoint(const std::string& text, std::chrono::milliseconds ttl = 5min) {
    auto tx = begin();
    const auto accepted = endpoints.put(tx, node, text, {text, "unknown", Time{}}, ttl);
    REQUIRE(accepted.ok());
    REQUIRE(tx.commit().ok());
    return *accepted;
  }
  // Marks the stale ones of this Node.
  std::size_t sweep() {
    auto tx = begin();
    const auto stale = endpoints.mark_stale(tx, 500);
    REQUIRE(stale.ok());
    REQUIRE(tx.commit().ok());
    return static_cast<std::size_t>(
        std::ranges::count(*stale, node, [](const StaleEndpoint& each) { return each.node_id; }));
  }
  // "stored", or "full".
  std::string report(const std::string& key, std::int64_t quota = 64) {
    auto tx = begin();
    REQUIRE(reporters.hold(tx, node, 1).ok());
    const auto stored = reports.put(tx, node, {key, "v", std::nullopt}, quota);
    REQUIRE(stored.ok());
    REQUIRE(tx.commit().ok());
    return stored->has_value() ? "stored" : "full";
  }
  AcceptedManifest manifest(const CapabilityManifest& manifest) {
    auto tx = begin();
    const auto accepted = capabilities.put(tx, node, manifest);
    REQUIRE(accepted.ok());
    REQUIRE(tx.commit().ok());
    return *accepted;
  }
  std::string count(const std::string& table) {
    return cluster().query("SELECT count(*) FROM mesh." + table + " WHERE node_id = '" +
                           node.text() + "'");
  }

  ReportingPeers reporters;
  EndpointStore endpoints;
  ReportStore reports;
  CapabilityStore capabilities;
  const sdk::Uuid domain = some_id();
  const sdk::Uuid node = some_id();
};

using Fields = std::vector<std::string>;

}  // namespace

TEST_CASE("every statement of reports is right in the server's eyes", "[mesh][report]") {
  Reporting process;
  CHECK(process.wrong_statements().empty());
}

TEST_CASE("who reports is live, absent, gone or revoked", "[mesh][report]") {
  Reporting process;
  CHECK(process.standing(process.node, 1) == Standing::live);
  CHECK(process.standing(process.node, 2) == Standing::revoked);
  CHECK(process.standing(some_id(), 1) == Standing::absent);
  REQUIRE(process
              .emit("tenancy.NodeDeregistered", process.domain, process.node,
                    R"({"node_id":")" + process.node.text() + "\"}")
              .ok());
  CHECK(process.standing(process.node, 1) == Standing::gone);
  CHECK(process.standing(process.node, 2) == Standing::gone);
}

TEST_CASE("an endpoint moves when it changes and when it comes back from stale",
          "[mesh][endpoint]") {
  Reporting process;
  const auto first = process.endpoint("192.0.2.1:1");
  CHECK(first.moved);
  CHECK(first.stale_after == first.accepted_at + 5min);
  const auto refreshed = process.endpoint("192.0.2.1:1");
  CHECK_FALSE(refreshed.moved);
  CHECK(refreshed.accepted_at > first.accepted_at);
  CHECK(process.endpoint("192.0.2.1:2").moved);
  CHECK(process.sweep() == 0);

  // Past its time: told once, whether the sweep or the next report comes first.
  CHECK_FALSE(process.endpoint("192.0.2.1:2", 0ms).moved);
  CHECK(process.sweep() == 1);
  CHECK(process.sweep() == 0);
  CHECK(process.endpoint("192.0.2.1:2", 0ms).moved);
  CHECK(process.endpoint("192.0.2.1:2").moved);
  CHECK(process.sweep() == 0);
  CHECK_FALSE(process.endpoint("192.0.2.1:2").moved);
}

TEST_CASE("a quota of reports is exact, however many write at once", "[mesh][report]") {
  Reporting process;
  constexpr int kWriters = 8;
  std::atomic<int> stored{0};
  std::vector<std::thread> writers;
  for (int i = 0; i < kWriters; ++i) {
    writers.emplace_back([&, i] {
      auto tx = process.mesh_store().begin();
      if (!tx.ok() || !process.reporters.hold(*tx, process.node, 1).ok()) {
        return;
      }
      const auto put =
          process.reports.put(*tx, process.node, {"k" + std::to_string(i), "v", {}}, 5);
      if (put.ok() && put->has_value() && tx->commit().ok()) {
        ++stored;
      }
    });
  }
  for (auto& writer : writers) {
    writer.join();
  }
  CHECK(stored == 5);
  CHECK(process.count("state_entry") == "5");
  CHECK(process.report("another", 5) == "full");
  const auto held = cluster().query("SELECT min(key) FROM mesh.state_entry WHERE node_id = '" +
                                    process.node.text() + "'");
  CHECK(process.report(held, 5) == "stored");  // an old key takes no more room

  auto tx = process.begin();
  CHECK(*process.reports.remove(tx, process.node, held));
  CHECK_FALSE(*process.reports.remove(tx, process.node, held));
  REQUIRE(tx.commit().ok());
  CHECK(process.report("another", 5) == "stored");
}

TEST_CASE("state entries come in their buckets, by the bytes of their keys", "[mesh][state]") {
  Reporting process;
  for (const std::string key : {"b", "a.b", "a_b", "a", "a-b"}) {
    REQUIRE(process.report(key) == "stored");
  }
  cluster().query(
      "INSERT INTO mesh.state_entry (node_id, kind, key, value, workload_tag, accepted_at) VALUES "
      "('" +
      process.node.text() + "', 'data', 'site', '{\"x\":\"a,b\"}', 'tag \"1\"', now()), ('" +
      process.node.text() + "', 'metadata', 'zone', '', NULL, now())");
  registered(process, process.domain, some_id());  // a peer, which sees none of it
  const auto state = process.peers.read_state(process.node);
  REQUIRE(state.ok());
  const StateEntries& entries = (**state).entries;
  Fields keys;
  for (const auto& report : entries.reports) {
    keys.push_back(report.key);
  }
  CHECK(keys == Fields{"a", "a-b", "a.b", "a_b", "b"});
  REQUIRE(entries.data.size() == 1);
  CHECK(entries.data[0].value == R"({"x":"a,b"})");
  CHECK(entries.data[0].workload_tag == R"(tag "1")");
  REQUIRE(entries.metadata.size() == 1);
  CHECK(entries.metadata[0].value.empty());
  CHECK_FALSE(entries.metadata[0].workload_tag);
  CHECK((**state).peers.size() == 1);
}

TEST_CASE("a manifest is compared with the one before, field by field", "[mesh][capabilities]") {
  Reporting process;
  CapabilityManifest manifest{"1.0", std::string(32, 'c'), "", {}, {}};
  CHECK(process.manifest(manifest).fields_changed == Fields{"binary_checksum", "binary_version"});
  CHECK(process.manifest(manifest).fields_changed.empty());

  manifest.ssh_host_key_fingerprint = "SHA256:one";
  auto accepted = process.manifest(manifest);
  CHECK(accepted.fields_changed == Fields{"ssh_host_key_fingerprint"});
  CHECK_FALSE(accepted.host_key_changed);  // the first one on record
  manifest.ssh_host_key_fingerprint = "SHA256:two";
  CHECK(process.manifest(manifest).host_key_changed);
  CHECK_FALSE(process.manifest(manifest).host_key_changed);
  manifest.ssh_host_key_fingerprint = "";
  CHECK(process.manifest(manifest).host_key_changed);

  manifest.declared_hooks = {{"b", std::string(32, 'h')}, {"a", std::string(32, '\0')}};
  manifest.plexd_hooks = {{"s", "sha256:1", {{"k", "v"}}, 30, true}};
  CHECK(process.manifest(manifest).fields_changed == Fields{"declared_hooks", "plexd_hooks"});
  std::swap(manifest.declared_hooks[0], manifest.declared_hooks[1]);
  CHECK(process.manifest(manifest).fields_changed.empty());
  manifest.plexd_hooks[0].parameters["k"] = "w";
  CHECK(process.manifest(manifest).fields_changed == Fields{"plexd_hooks"});
  manifest = {"2.0", std::string(32, 'd'), "", {}, {}};
  CHECK(process.manifest(manifest).fields_changed ==
        Fields{"binary_checksum", "binary_version", "declared_hooks", "plexd_hooks"});
}

TEST_CASE("a Project's manifests come in pages, of live Nodes only", "[mesh][capabilities]") {
  Reporting process;
  process.manifest({"1.0", std::string(32, 'c'), "", {}, {}});
  const auto project = *sdk::Uuid::parse(cluster().query(
      "SELECT project_id FROM mesh.peer WHERE node_id = '" + process.node.text() + "'"));
  const auto rows = process.capabilities.page(project, std::nullopt, {}, 10);
  REQUIRE(rows.ok());
  REQUIRE(rows->size() == 1);
  CHECK(rows->front().node_id == process.node);
  CHECK(rows->front().domain_id == process.domain);
  CHECK(rows->front().binary_checksum == sdk::base64_encode(std::string(32, 'c')));
  CHECK(process.capabilities.page(project, process.node, {}, 10)->size() == 1);
  CHECK(process.capabilities.page(project, some_id(), {}, 10)->empty());
  CHECK(process.capabilities.page(project, std::nullopt, process.node, 10)->empty());
  CHECK(process.capabilities.page(some_id(), std::nullopt, {}, 10)->empty());
}

TEST_CASE("a Node that leaves takes with it what it told", "[mesh][report]") {
  Reporting process;
  process.endpoint("192.0.2.1:1", 0ms);
  process.manifest({"1.0", std::string(32, 'c'), "", {}, {}});
  CHECK(process.report("a") == "stored");
  REQUIRE(process
              .emit("tenancy.NodeDeregistered", process.domain, process.node,
                    R"({"node_id":")" + process.node.text() + "\"}")
              .ok());
  CHECK(process.count("peer_endpoint") == "0");
  CHECK(process.count("capability_manifest") == "0");
  CHECK(process.count("state_entry") == "0");
  CHECK(process.sweep() == 0);
}
