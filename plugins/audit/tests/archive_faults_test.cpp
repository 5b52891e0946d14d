// The archiver when things fail: the store, the network, the process, and those who tamper.
#include "app/projection.hpp"
#include "archive_site.hpp"

namespace plexsphere::audit {
namespace {

using host::health::State;
using sdk::Uuid;
using test::ArchiveSite;
using test::kPatience;
using test_support::wait_until;

}  // namespace

TEST_CASE("an upload whose answer is lost is stamped from what lies there, without another",
          "[audit][pg][archive]") {
  ArchiveSite site;
  site.add(site.chain, 3);
  site.store.cut_after_store(2);
  site.open();
  REQUIRE(site.becomes_stamped(3));
  CHECK(site.store.puts() == 3);
  CHECK(site.requests("GET ") >= 2);  // the scan reads as well
  CHECK(site.quarantined().empty());
}

TEST_CASE("whoever leads after a crash between upload and stamp stamps what lies there",
          "[audit][pg][archive]") {
  ArchiveSite site;
  site.add(site.chain, 5);
  site.open();
  REQUIRE(site.becomes_stamped(5));
  site.close();
  const auto before = site.store.objects();
  // As it is when the process dies after the uploads and before the stamps.
  site.database.tamper(
      "UPDATE audit.audit_log_entry SET archived_at = NULL, archive_etag = NULL; "
      "DELETE FROM audit.audit_archive_position");
  site.open();
  REQUIRE(site.becomes_stamped(5));
  CHECK(site.store.puts() == 5);
  CHECK(site.quarantined().empty());
  CHECK(site.database.query("SELECT archive_etag FROM audit.audit_log_entry WHERE seq = 1") ==
        before.at(object_key(site.chain, 1)).etag.substr(1, 32));
}

TEST_CASE("an object that says something else is left as it is, and is a finding",
          "[audit][pg][archive]") {
  ArchiveSite site;
  site.add(site.chain, 3);
  const std::string key = object_key(site.chain, 2);
  site.store.put(key, "not ours");
  site.open();
  REQUIRE(site.becomes_stamped(2));
  CHECK(site.probe_says("archive", State::kDegraded, "1 entries cannot be archived"));
  CHECK(site.quarantined() == "2 mirror_divergence");
  CHECK(site.store.objects().at(key).body == "not ours");
  CHECK(site.live->health().state() != State::kDown);
  CHECK(site.database.query("SELECT seq FROM audit.audit_archive_position") == "1");
  // Once it is gone the entry takes its place.
  site.store.erase(key);
  REQUIRE(site.becomes_stamped(3));
  CHECK(site.probe_says("archive", State::kOk, ""));
  CHECK(site.database.query("SELECT seq FROM audit.audit_archive_position") == "3");
}

TEST_CASE("an entry that does not hold is not copied", "[audit][pg][archive]") {
  ArchiveSite site;
  site.add(site.chain, 3);
  site.database.tamper(
      "UPDATE audit.audit_log_entry SET canonical_bytes = canonical_bytes || '\\x20'::bytea "
      "WHERE seq = 2");
  site.open();
  REQUIRE(site.becomes_stamped(2));
  CHECK(site.probe_says("archive", State::kDegraded, "1 entries cannot be archived"));
  CHECK(site.quarantined().find("2 hash_mismatch") != std::string::npos);
  CHECK(site.store.objects().count(object_key(site.chain, 2)) == 0);
}

TEST_CASE("a store that is busy is asked again after a while, and readiness stays",
          "[audit][pg][archive]") {
  ArchiveSite site;
  site.add(site.chain, 2);
  site.store.fail(1000, 503, "SlowDown");  // until it has been asked twice, whoever else asks
  site.open();
  CHECK(site.probe_says("archive", State::kDegraded, "answered a HEAD with 503"));
  CHECK(site.live->health().state() != State::kDown);
  CHECK(wait_until(kPatience,
                   [&] { return site.metric("plexsphere_audit_archive_failures_total") >= 2; }));
  site.store.fail(0, 503, "SlowDown");
  REQUIRE(site.becomes_stamped(2));
  CHECK(site.probe_says("archive", State::kOk, ""));
}

TEST_CASE("a wrong key copies nothing and is told by its name", "[audit][pg][archive]") {
  ArchiveSite site;
  site.secret = "another";
  site.add(site.chain, 1);
  site.open();
  CHECK(site.probe_says("archive", State::kDegraded, "answered a HEAD with 403"));
  CHECK(site.stamped() == "0");
  CHECK(site.store.objects().empty());
  CHECK(wait_until(kPatience,
                   [&] { return site.metric("plexsphere_audit_archive_lag_entries") == 1; }));
}

TEST_CASE("a process that leaves does not wait for the store", "[audit][pg][archive]") {
  ArchiveSite site("archive_deadline = \"10m\"\n");
  site.add(site.chain, 1);
  site.store.hold();
  site.open();
  REQUIRE(wait_until(kPatience, [&] { return site.store.held() >= 1; }));  // the scan may ask too
  const auto begun = std::chrono::steady_clock::now();
  site.close();
  CHECK(std::chrono::steady_clock::now() - begun < std::chrono::seconds(10));
  site.store.release();
  site.open();
  CHECK(site.becomes_stamped(1));
}

TEST_CASE("of several replicas one archives", "[audit][pg][archive]") {
  ArchiveSite site;
  site.open();
  test::LiveAudit second(site.database, 8, site.settings());
  second.begin_jobs();
  site.add(site.chain, 100);
  REQUIRE(site.becomes_stamped(100));
  CHECK(site.store.puts() == 100);
  CHECK(site.requests("HEAD ") == 100);
}

}  // namespace plexsphere::audit
