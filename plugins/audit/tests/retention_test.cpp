// Entries that leave the database behind the retention boundary, and a chain that begins there.
#include <nlohmann/json.hpp>
#include <sstream>

#include "archive_site.hpp"
#include "checkpoint_site.hpp"
#include "host/apps/plexctl/audit_check.hpp"
#include "host/apps/plexctl/entry_reader.hpp"
#include "host/apps/plexsphere-bootstrap/app.hpp"

namespace plexsphere::audit {
namespace {

using nlohmann::json;
using test::CheckpointSite;
using test::LiveAudit;

constexpr auto kPruning =
    "checkpoint_interval = \"100ms\"\nverify_interval = \"20ms\"\nhot_retention = \"1s\"\n";

bool eventually(const std::function<bool()>& what) {
  return test_support::wait_until(std::chrono::seconds(40), what);
}

std::pair<host::health::State, std::string> reconcile(LiveAudit& live) {
  for (const auto& check : live.health().checks) {
    if (check.name == "audit.reconcile") {
      return {check.outcome.state, check.outcome.detail};
    }
  }
  FAIL("there is no such probe");
  return {};
}

double entries_read(const LiveAudit& live) {
  std::smatch found;
  const std::string all = live.metrics();
  const std::regex line("\nplexsphere_audit_entries_read_total ([0-9.e+]+)");
  return std::regex_search(all, found, line) ? std::stod(found[1]) : 0;
}

struct PruningSite : CheckpointSite {
  explicit PruningSite(const std::string& settings = kPruning) : CheckpointSite(settings) {}

  // As the archiver does it, for all that is there.
  void stamp() const {
    database.query(
        "UPDATE audit.audit_log_entry SET archive_etag = 'e', archived_at = now() WHERE domain_id "
        "= '" +
        domain.text() + "' AND archived_at IS NULL");
  }
  int boundary() const {
    return std::stoi(query("SELECT coalesce(max(seq), 0) FROM audit.audit_boundary"));
  }
  int first() const { return number("SELECT min(seq) FROM audit.audit_log_entry"); }
  // Grows, checkpoint by checkpoint, until the boundary is there and what is behind it gone; where
  // it is.
  int prune_to(int seq) const {
    REQUIRE(eventually([&] {
      add_and_wait();
      return boundary() >= seq;
    }));
    REQUIRE(eventually([&] { return first() == boundary() + 1; }));
    return boundary();
  }
  json get(const std::string& rest, const LiveAudit::Pairs& query = {}) const {
    const auto reply = live.call("GET /v1/domains/{domain_id}/audit/" + rest,
                                 {{"domain_id", domain.text()}}, query);
    INFO(reply.code);
    REQUIRE(reply.status == 200);
    return json::parse(reply.body);
  }
};

std::string raw(const json& hex) {
  return *sdk::hex_decode(hex.get<std::string>());
}

// What plexctl makes of the chain as the API shows it, with the first `notes` of its checkpoints.
plexctl::Verified verified_export(const PruningSite& site, std::size_t notes) {
  const json list = site.get("checkpoints", {{"limit", "200"}});
  const json& items = list.at("items");
  const auto key = sdk::parse_verifier_key(
      &sha256, items.at(0).at("verifier_key").get_ref<const std::string&>());
  REQUIRE(key);
  plexctl::ChainCheck check(list.at("origin"), {*key});
  std::uint64_t seq = 0;
  if (list.contains("begins")) {
    const json& begins = list.at("begins");
    seq = begins.at("seq").get<std::uint64_t>();
    std::vector<std::string> peaks;
    for (const json& peak : begins.at("peaks")) {
      peaks.push_back(raw(peak));
    }
    check.begin({seq, raw(begins.at("entry_hash"))}, peaks);
  }
  for (std::size_t i = 0; i < std::min(notes, items.size()); ++i) {
    check.checkpoint(items.at(i).at("note").get_ref<const std::string&>());
  }
  const std::uint64_t until = items.back().at("size").get<std::uint64_t>();
  while (seq < until) {
    const json page = site.get("records", {{"from", std::to_string(seq + 1)}, {"limit", "200"}});
    REQUIRE_FALSE(page.at("items").empty());
    for (const json& item : page.at("items")) {
      seq = item.at("seq").get<std::uint64_t>();
      if (seq <= until) {
        check.entry(plexctl::entry_of_line(item.dump()).value());
      }
    }
  }
  return check.finish();
}

}  // namespace

TEST_CASE("what is archived, old and signed leaves, and the chain begins behind it",
          "[audit][pg][retention]") {
  PruningSite site;
  site.add_and_wait(600);
  site.stamp();
  REQUIRE(site.prune_to(256) == 256);
  CHECK(site.database.query("SELECT count(*) FROM audit.audit_log_entry WHERE relation = "
                            "'audit.prune' AND object_id = '256'") == "1");
  CHECK(site.database.query("SELECT count(*) FROM audit.audit_request_context WHERE seq <= 256") ==
        "0");

  // Who has read it all, and who begins to read now.
  LiveAudit later(site.database, 16, "verify_interval = \"20ms\"\n");
  REQUIRE(eventually([&] { return entries_read(later) > 400; }));
  REQUIRE(eventually([&] { return entries_read(site.live) > 2'000; }));
  for (LiveAudit* live : {&site.live, &later}) {
    INFO(reconcile(*live).second);
    CHECK(reconcile(*live).first == host::health::State::kOk);
  }
  CHECK(site.quarantined().empty());

  const auto verdict = site.live.call("POST /v1/domains/{domain_id}/audit/verify",
                                      {{"domain_id", site.domain.text()}});
  CHECK(json::parse(verdict.body).at("ok") == true);
  CHECK(json::parse(verdict.body).at("segment_from") == 257);

  // Proofs go on for what is there.
  const json proof = site.get("proofs/inclusion", {{"seq", "300"}});
  sdk::merkle::Proof path;
  for (const json& hash : proof.at("hashes")) {
    path.push_back(raw(hash));
  }
  CHECK(sdk::merkle::verify_inclusion(
      &sha256, sdk::merkle::leaf_hash(&sha256, raw(proof.at("entry_hash"))), 299,
      proof.at("size").get<std::uint64_t>(), path, raw(proof.at("root_hash"))));
  const auto gone = site.live.call("GET /v1/domains/{domain_id}/audit/proofs/inclusion",
                                   {{"domain_id", site.domain.text()}}, {{"seq", "5"}});
  CHECK(gone.status == 404);
  CHECK(gone.code == "behind_retention_boundary");

  const auto exported = verified_export(site, 200);
  CHECK(exported.left == 256);
  CHECK(exported.covered > 600);
  // The checkpoint of before let nothing leave.
  CHECK_THROWS_WITH(verified_export(site, 1), Catch::Contains("entries 1 to 256 are missing"));

  // And further, when more of it is old.
  site.add_and_wait(600);
  site.stamp();
  const int next = site.prune_to((site.newest() / 256 - 1) * 256);
  CHECK(verified_export(site, 200).left == static_cast<std::uint64_t>(next));
  CHECK(reconcile(site.live).first == host::health::State::kOk);
}

TEST_CASE("nothing leaves that is not archived, not old, or not asked for",
          "[audit][pg][retention]") {
  const std::string settings = GENERATE(std::string("hot_retention = \"1s\"\n"),
                                        std::string("hot_retention = \"24h\"\n"), std::string());
  PruningSite site("checkpoint_interval = \"100ms\"\nverify_interval = \"1h\"\n" + settings);
  site.add_and_wait(600);
  if (settings != "hot_retention = \"1s\"\n") {
    site.stamp();
  }
  const int checkpoints = site.checkpoints();
  REQUIRE(eventually([&] {
    site.add(1);
    return site.checkpoints() > checkpoints + 12;  // for longer than a second
  }));
  CHECK(site.boundary() == 0);
  CHECK(site.first() == 1);
}

TEST_CASE("a beginning that was cut off without a signed boundary is found",
          "[audit][pg][retention]") {
  PruningSite site("checkpoint_interval = \"100ms\"\nverify_interval = \"1h\"\n");
  site.add_and_wait(600);
  const std::string cut = "DELETE FROM audit.audit_log_entry WHERE domain_id = '" +
                          site.domain.text() + "' AND seq <= 256";
  SECTION("cut off") {
    site.database.tamper(cut);
  }
  SECTION("with a boundary that no checkpoint names") {
    site.stamp();
    site.database.query(
        "INSERT INTO audit.audit_boundary (domain_id, seq, entry_hash) SELECT domain_id, seq, "
        "entry_hash FROM audit.audit_log_entry WHERE domain_id = '" +
        site.domain.text() + "' AND seq = 256");
    CHECK(site.query("SELECT audit.prune_entries(domain_id, 1000) FROM audit.audit_boundary") ==
          "0");
    site.database.tamper(cut);
  }
  LiveAudit later(site.database, 16, "verify_interval = \"1h\"\n");
  REQUIRE(eventually([&] { return reconcile(later).first == host::health::State::kDown; }));
  CHECK_THAT(reconcile(later).second, Catch::Contains(" at 1 (missing_entry)"));
}

TEST_CASE("a beginning that was cut off beyond the boundary is found", "[audit][pg][retention]") {
  PruningSite site;
  site.add_and_wait(600);
  site.stamp();
  REQUIRE(site.prune_to(256) == 256);
  site.database.tamper("DELETE FROM audit.audit_log_entry WHERE domain_id = '" +
                       site.domain.text() + "' AND seq <= 300");
  LiveAudit later(site.database, 16, "verify_interval = \"1h\"\n");
  REQUIRE(eventually([&] { return reconcile(later).first == host::health::State::kDown; }));
  CHECK_THAT(reconcile(later).second, Catch::Contains(" at 257 (missing_entry)"));
}

TEST_CASE("no role deletes entries by itself, and the owner none before the boundary",
          "[audit][pg][retention]") {
  PruningSite site("checkpoint_interval = \"100ms\"\nverify_interval = \"1h\"\n");
  site.add_and_wait(600);
  const std::string chain = "'" + site.domain.text() + "'";
  CHECK(site.database.refusal("audit", "DELETE FROM audit.audit_log_entry") == "permission denied");
  CHECK(site.database.refusal("guest", "SELECT audit.prune_entries(" + chain + ", 1)") ==
        "permission denied");
  CHECK_THROWS_WITH(site.database.query("DELETE FROM audit.audit_log_entry WHERE seq = 1"),
                    Catch::Contains("audit_append_only"));
  // Nor is there a boundary over what is not archived.
  CHECK(site.database.refusal("audit",
                              "INSERT INTO audit.audit_boundary (domain_id, seq, entry_hash) "
                              "SELECT domain_id, seq, entry_hash FROM audit.audit_log_entry WHERE "
                              "domain_id = " +
                                  chain + " AND seq = 256") == "audit_boundary_not_covered");
}

TEST_CASE("entries that left are read back from the mirror, and stay for a day",
          "[audit][pg][retention]") {
  test::TestSigner signer;
  test::ArchiveSite site(
      "checkpoint_interval = \"100ms\"\narchive_scan_interval = \"100ms\"\n"
      "hot_retention = \"1s\"\n");
  site.verify_interval = "50ms";
  site.add(site.chain, 600);
  site.live = std::make_unique<LiveAudit>(site.database, 8, site.settings(), signer.table());
  const auto number = [&](const std::string& sql) { return std::stoi(site.database.query(sql)); };
  const std::string of_chain = " WHERE domain_id = '" + site.chain.text() + "'";
  REQUIRE(eventually([&] { return std::stoi(site.stamped()) >= 600; }));
  const auto newest = [&] {
    return number("SELECT coalesce(max(size), 0) FROM audit.audit_checkpoint" + of_chain);
  };
  REQUIRE(eventually([&] {
    const int before = newest();
    site.add(site.chain, 1);
    (void)test_support::wait_until(test::kPatience, [&] { return newest() > before; });
    return number("SELECT coalesce(max(seq), 0) FROM audit.audit_boundary" + of_chain) == 256;
  }));
  REQUIRE(eventually(
      [&] { return number("SELECT min(seq) FROM audit.audit_log_entry" + of_chain) == 257; }));
  const double checked = site.metric("plexsphere_audit_mirror_checked_total");
  REQUIRE(eventually(
      [&] { return site.metric("plexsphere_audit_mirror_checked_total") > checked + 100; }));
  CHECK(site.probe_says("reconcile", host::health::State::kOk, "every chain ends"));

  const std::string config = (site.files.path() / "admin.toml").string();
  std::ofstream(config) << "[database]\nadmin_dsn = \"" << site.database.dsn("postgres") << "\"\n";
  std::ostringstream out;
  std::ostringstream err;
  const int code =
      host::apps::run_bootstrap({"audit", "restore", "--domain", site.chain.text(), "--from", "200",
                                 "--to", "256", "--wait", "30", "--config", config},
                                out, err);
  INFO(err.str());
  CHECK(code == 0);
  CHECK(out.str().starts_with("restored: 57 entries were restored; 200 to 256 hold"));
  CHECK(number("SELECT audit.prune_entries(domain_id, 1000) FROM audit.audit_boundary" +
               of_chain) == 0);
  CHECK(number("SELECT min(seq) FROM audit.audit_log_entry" + of_chain) == 200);
  CHECK(site.probe_says("reconcile", host::health::State::kOk, "every chain ends"));
}

}  // namespace plexsphere::audit
