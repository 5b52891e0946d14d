// The watch over the chains: what it finds without being asked, and what readiness says of it.
#include <catch2/catch.hpp>
#include <regex>

#include "live_audit.hpp"
#include "support/wait_until.hpp"

namespace plexsphere::audit {
namespace {

using namespace std::chrono_literals;
using sdk::Uuid;
using test::ChainDatabase;
using test::change_in;
using test::LiveAudit;

constexpr auto kPatience = 20s;

// A database of its own with one chain of `entries`, and a process that watches it closely.
struct Watched {
  explicit Watched(int entries, const std::string& settings = {},
                   const std::string& interval = "20ms")
      : live(database, 16, "verify_interval = \"" + interval + "\"\n" + settings) {
    add(entries);
  }

  void add(int entries) const {
    for (int i = 0; i < entries; ++i) {
      REQUIRE(live.stage({change_in(domain, "a" + std::to_string(i))}).ok());
    }
  }
  double metric(const std::string& name) const {
    std::smatch found;
    const std::string all = live.metrics();
    REQUIRE(std::regex_search(all, found, std::regex("\n" + name + " ([0-9.e+]+)")));
    return std::stod(found[1]);
  }
  // Every entry at least twice, so that all of it is remembered and what was read is read again.
  void wait_until_read(int entries) const {
    const double before = metric("plexsphere_audit_entries_read_total");
    REQUIRE(test_support::wait_until(kPatience, [&] {
      return metric("plexsphere_audit_entries_read_total") >= before + 2 * entries;
    }));
  }
  // State and detail of the probe.
  std::pair<host::health::State, std::string> reconcile() {
    for (const auto& check : live.health().checks) {
      if (check.name == "audit.reconcile") {
        return {check.outcome.state, check.outcome.detail};
      }
    }
    FAIL("there is no such probe");
    return {};
  }
  bool becomes(host::health::State state) {
    return test_support::wait_until(kPatience, [&] { return reconcile().first == state; });
  }
  std::string quarantined() const {
    return database.query(
        "SELECT string_agg(seq || ' ' || finding, ', ' ORDER BY seq, finding) FROM "
        "audit.audit_tamper_quarantine");
  }
  std::string where(int seq) const {
    return " WHERE domain_id = '" + domain.text() + "' AND seq = " + std::to_string(seq);
  }

  ChainDatabase database;
  Uuid domain = Uuid::v7(1);
  LiveAudit live;
};

// Another relation in the last entry, with everything that follows from it made to fit.
std::string forged_end(const Watched& site, int seq) {
  return "UPDATE audit.audit_log_entry SET relation = 'forged', canonical_bytes = "
         "convert_to(replace(convert_from(canonical_bytes, 'UTF8'), '\"a2\"', '\"forged\"'), "
         "'UTF8')" +
         site.where(seq) +
         "; UPDATE audit.audit_log_entry SET entry_hash = sha256(prev_hash || "
         "sha256(canonical_bytes))" +
         site.where(seq) +
         "; UPDATE audit.audit_log_chain_head h SET entry_hash = e.entry_hash FROM "
         "audit.audit_log_entry e WHERE e.domain_id = h.domain_id AND e.seq = h.seq";
}

}  // namespace

TEST_CASE("chains that hold are read again and again, with what is appended",
          "[audit][pg][watch]") {
  Watched site(3);
  site.wait_until_read(3);
  site.add(2);
  site.wait_until_read(5);
  CHECK(site.reconcile().first == host::health::State::kOk);
  CHECK(site.metric("plexsphere_audit_broken_chains") == 0);
  CHECK(site.quarantined().empty());
}

TEST_CASE("an entry changed behind the watch is found unasked, named, and gone once repaired",
          "[audit][pg][watch]") {
  Watched site(5);
  site.wait_until_read(5);
  site.database.tamper("UPDATE audit.audit_log_entry SET object_id = 'q'" + site.where(2));
  REQUIRE(site.becomes(host::health::State::kDown));
  CHECK_THAT(site.reconcile().second,
             Catch::Contains(site.domain.text() + " at 2 (content_differs)"));
  CHECK(site.metric("plexsphere_audit_broken_chains") == 1);
  CHECK(site.quarantined() == "2 content_differs");

  site.database.tamper("UPDATE audit.audit_log_entry SET object_id = 'p'" + site.where(2));
  CHECK(site.becomes(host::health::State::kOk));
  CHECK(site.metric("plexsphere_audit_broken_chains") == 0);
}

TEST_CASE("an old entry is read again although every round finds new ones", "[audit][pg][watch]") {
  Watched site(5, {}, "300ms");
  site.wait_until_read(5);
  site.database.tamper("UPDATE audit.audit_log_entry SET object_id = 'q'" + site.where(2));
  CHECK(test_support::wait_until(kPatience, [&] {
    site.add(1);
    return site.reconcile().first == host::health::State::kDown;
  }));
}

TEST_CASE("a chain made to fit again after a forgery is found by whoever read it before",
          "[audit][pg][watch]") {
  Watched site(3);
  site.live.add_domain(site.domain);
  site.wait_until_read(3);
  site.database.tamper(forged_end(site, 3));
  const auto verdict = site.live.call("POST /v1/domains/{domain_id}/audit/verify",
                                      {{"domain_id", site.domain.text()}});
  CHECK_THAT(verdict.body, Catch::Contains("\"ok\":true"));  // it fits in itself
  CHECK(site.becomes(host::health::State::kDown));
  CHECK_THAT(site.reconcile().second, Catch::Contains("at 3 (rewritten)"));
}

TEST_CASE("a chain set back to an earlier point is found, and stays found when it grows again",
          "[audit][pg][watch]") {
  Watched site(4);
  site.wait_until_read(4);
  site.database.tamper("DELETE FROM audit.audit_log_entry" + site.where(4) +
                       "; DELETE FROM audit.audit_request_context" + site.where(4) +
                       "; UPDATE audit.audit_log_chain_head h SET seq = e.seq, entry_hash = "
                       "e.entry_hash FROM audit.audit_log_entry e WHERE e.domain_id = h.domain_id "
                       "AND e.seq = 3");
  REQUIRE(site.becomes(host::health::State::kDown));
  site.add(3);
  CHECK_THAT(site.reconcile().second, Catch::Contains("at 4 (rewritten)"));
}

TEST_CASE("a chain that vanishes whole is found", "[audit][pg][watch]") {
  Watched site(2);
  site.wait_until_read(2);
  site.database.tamper("DELETE FROM audit.audit_log_entry; DELETE FROM audit.audit_log_chain_head");
  REQUIRE(site.becomes(host::health::State::kDown));
  CHECK(site.quarantined() == "2 rewritten");
}

TEST_CASE("a slow pace does not hold up the end of the process", "[audit][pg][watch]") {
  const auto began = std::chrono::steady_clock::now();
  {
    Watched site(300, "verify_rate = 100\n");
    REQUIRE(test_support::wait_until(
        kPatience, [&] { return site.metric("plexsphere_audit_entries_read_total") > 0; }));
  }
  CHECK(std::chrono::steady_clock::now() - began < 20s);
}

}  // namespace plexsphere::audit
