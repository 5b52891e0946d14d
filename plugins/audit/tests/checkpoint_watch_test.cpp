// The watch over checkpoints: what a process finds that has seen nothing of it happen.
#include "checkpoint_site.hpp"

namespace plexsphere::audit {
namespace {

using test::CheckpointSite;
using test::LiveAudit;

constexpr auto kWatched = "checkpoint_interval = \"100ms\"\nverify_interval = \"20ms\"\n";
// Looks at everything once, when it starts.
constexpr auto kOnce = "verify_interval = \"1h\"\n";

// State and detail of the failing probe.
std::pair<host::health::State, std::string> reconcile(LiveAudit& live) {
  for (const auto& check : live.health().checks) {
    if (check.name == "audit.reconcile") {
      return {check.outcome.state, check.outcome.detail};
    }
  }
  FAIL("there is no such probe");
  return {};
}

bool goes_down(LiveAudit& live) {
  return test_support::wait_until(
      test::kPatience, [&] { return reconcile(live).first == host::health::State::kDown; });
}

double entries_read(const LiveAudit& live) {
  std::smatch found;
  const std::string all = live.metrics();
  const std::regex line("\nplexsphere_audit_entries_read_total ([0-9.e+]+)");
  return std::regex_search(all, found, line) ? std::stod(found[1]) : 0;
}

bool reads(const LiveAudit& live, double entries) {
  return test_support::wait_until(test::kPatience, [&] { return entries_read(live) >= entries; });
}

}  // namespace

TEST_CASE("checkpoints that are of the entries are no finding, however they come",
          "[audit][pg][checkpoint]") {
  CheckpointSite site(kWatched);
  for (const int entries : {3, 300, 1, 1}) {
    site.add_and_wait(entries);
  }
  LiveAudit later(site.database, 16, kOnce);
  CHECK(reads(later, 305));
  CHECK(reads(site.live, entries_read(site.live) + 1000));  // several rounds
  CHECK(reconcile(later).first == host::health::State::kOk);
  CHECK(reconcile(site.live).first == host::health::State::kOk);
  CHECK(site.quarantined().empty());
}

TEST_CASE("a chain rewritten while nobody ran is found by its checkpoint alone",
          "[audit][pg][checkpoint]") {
  CheckpointSite site(kOnce + std::string("checkpoint_interval = \"100ms\"\n"));
  site.add_and_wait(300);
  site.database.tamper(site.forged(2));
  LiveAudit later(site.database, 16, kOnce);
  CHECK(goes_down(later));
  CHECK_THAT(reconcile(later).second,
             Catch::Contains(site.domain.text() + " at 300 (checkpoint_mismatch)"));
}

TEST_CASE("a chain set back while nobody ran is found by its checkpoint alone",
          "[audit][pg][checkpoint]") {
  CheckpointSite site(kOnce + std::string("checkpoint_interval = \"100ms\"\n"));
  site.add_and_wait(5);
  site.set_back(3);
  LiveAudit later(site.database, 16, kOnce);
  CHECK(goes_down(later));
  CHECK(site.query("SELECT seq || ' ' || finding FROM audit.audit_tamper_quarantine") ==
        "5 checkpoint_mismatch");
}

TEST_CASE("a chain that vanished whole while nobody ran is found by its checkpoint alone",
          "[audit][pg][checkpoint]") {
  CheckpointSite site(kOnce + std::string("checkpoint_interval = \"100ms\"\n"));
  site.add_and_wait(5);
  site.database.tamper("TRUNCATE audit.audit_log_entry, audit.audit_log_chain_head");
  LiveAudit later(site.database, 16, kOnce);
  CHECK(goes_down(later));
  CHECK_THAT(reconcile(later).second, Catch::Contains("heads or checkpoints"));
  CHECK(site.quarantined() == "checkpoint_mismatch");
}

TEST_CASE("a checkpoint that is changed, or taken away, is found by whoever saw it",
          "[audit][pg][checkpoint]") {
  CheckpointSite site(kWatched);
  site.add_and_wait(3);
  REQUIRE(reads(site.live, entries_read(site.live) + 50));  // rounds enough to have seen it
  SECTION("changed") {
    site.database.tamper("UPDATE audit.audit_checkpoint SET root_hash = sha256(root_hash)");
  }
  SECTION("taken away") {
    site.database.tamper("DELETE FROM audit.audit_checkpoint");
  }
  CHECK(goes_down(site.live));
  CHECK_THAT(reconcile(site.live).second, Catch::Contains("checkpoint_mismatch"));
}

TEST_CASE("a note that is not signed under the key beside it is found", "[audit][pg][checkpoint]") {
  CheckpointSite site(kOnce + std::string("checkpoint_interval = \"100ms\"\n"));
  site.add_and_wait(3);
  SECTION("another key") {
    site.database.tamper("UPDATE audit.audit_checkpoint SET public_key = sha256(public_key)");
  }
  SECTION("another chain's note") {
    site.database.tamper("UPDATE audit.audit_checkpoint SET note = replace(note, 'domain:', 'x:')");
  }
  LiveAudit later(site.database, 16, kOnce);
  CHECK(goes_down(later));
  CHECK_THAT(reconcile(later).second, Catch::Contains("checkpoint_mismatch"));
}

}  // namespace plexsphere::audit
