// The mirror read back: what somebody changed there is found by its content, and readiness says so.
#include <set>

#include "app/digest.hpp"
#include "app/projection.hpp"
#include "archive_site.hpp"

namespace plexsphere::audit {
namespace {

using host::health::State;
using sdk::Uuid;
using test::ArchiveSite;
using test::kPatience;
using test_support::wait_until;

constexpr const char* kClosely = "archive_scan_interval = \"100ms\"\n";

// Every object was read at least twice since.
bool comes_round(const ArchiveSite& site, int objects) {
  const double before = site.metric("plexsphere_audit_mirror_checked_total");
  return wait_until(kPatience, [&] {
    return site.metric("plexsphere_audit_mirror_checked_total") >= before + 2 * objects;
  });
}

}  // namespace

TEST_CASE("objects that hold are read again and again", "[audit][pg][archive]") {
  ArchiveSite site(kClosely);
  site.add(site.chain, 40);  // more than one sample
  site.add(Uuid::v7(2), 3);
  site.open();
  REQUIRE(site.becomes_stamped(43));
  REQUIRE(comes_round(site, 43));
  std::set<std::string> read;
  for (const auto& line : site.store.log()) {
    if (line.starts_with("GET ") && line.find(": ") == std::string::npos) {  // what there is
      read.insert(line);
    }
  }
  CHECK(read.size() == 43);
  CHECK(site.probe_says("reconcile", State::kOk, ""));
  CHECK(site.quarantined().empty());
}

TEST_CASE("an object that is gone, broken, or another entry's is found, and so is its return",
          "[audit][pg][archive]") {
  ArchiveSite site(kClosely);
  site.add(site.chain, 5);
  site.open();
  REQUIRE(site.becomes_stamped(5));
  REQUIRE(comes_round(site, 5));
  const auto good = site.store.objects();
  const auto key = [&](int seq) { return object_key(site.chain, seq); };
  site.store.erase(key(1));
  site.store.put(key(2), "no object");
  site.store.put(key(3), good.at(key(4)).body);
  // Sound in itself, and not what the chain says.
  auto forged = *from_object(good.at(key(5)).body);
  forged.canonical_bytes.insert(forged.canonical_bytes.size() - 1, " ");
  forged.entry_hash = entry_hash(forged.prev_hash, forged.canonical_bytes);
  REQUIRE(proves_itself(forged));
  site.store.put(key(5), to_object(forged));
  REQUIRE(site.probe_says("reconcile", State::kDown, "4 objects of the mirror"));
  CHECK(site.quarantined() ==
        "1 mirror_divergence, 2 mirror_divergence, 3 mirror_divergence, 5 mirror_divergence");
  CHECK(site.metric("plexsphere_audit_mirror_diverged_objects") == 4);
  // Whoever leads next knows at once.
  site.close();
  site.open();
  REQUIRE(site.probe_says("reconcile", State::kDown, "4 objects of the mirror"));
  for (const int seq : {1, 2, 3, 5}) {
    site.store.put(key(seq), good.at(key(seq)).body);
  }
  CHECK(site.probe_says("reconcile", State::kOk, ""));
}

TEST_CASE("an entry that was rewritten with all its hashes is found by its copy",
          "[audit][pg][archive]") {
  ArchiveSite site(kClosely);
  site.add(site.chain, 3);
  site.open();
  REQUIRE(site.becomes_stamped(3));
  site.close();
  const std::string last = " WHERE domain_id = '" + site.chain.text() + "' AND seq = 3";
  site.database.tamper(
      "UPDATE audit.audit_log_entry SET relation = 'x2', canonical_bytes = "
      "convert_to(replace(convert_from(canonical_bytes, 'UTF8'), '\"a2\"', '\"x2\"'), 'UTF8')" +
      last +
      "; UPDATE audit.audit_log_entry SET entry_hash = sha256(prev_hash || "
      "sha256(canonical_bytes))" +
      last +
      "; UPDATE audit.audit_log_chain_head h SET entry_hash = e.entry_hash FROM "
      "audit.audit_log_entry e WHERE e.domain_id = h.domain_id AND e.seq = h.seq");
  site.open();  // a process that has never seen the chain: it fits in itself
  REQUIRE(site.probe_says("reconcile", State::kDown, "1 objects of the mirror"));
  CHECK(site.quarantined() == "3 mirror_divergence");
}

TEST_CASE("an end that was cut off is found by the copy that follows it, and no other copy is",
          "[audit][pg][archive]") {
  ArchiveSite site(kClosely);
  site.add(site.chain, 6);
  site.open();
  REQUIRE(site.becomes_stamped(6));
  site.database.tamper(
      "DELETE FROM audit.audit_log_entry WHERE seq > 4; DELETE FROM audit.audit_request_context "
      "WHERE seq > 4; UPDATE audit.audit_log_chain_head h SET "
      "seq = e.seq, entry_hash = e.entry_hash FROM audit.audit_log_entry e WHERE e.seq = 4");
  REQUIRE(site.probe_says("reconcile", State::kDown, "of the mirror"));
  CHECK(site.quarantined() == "5 mirror_divergence");
  // As after a restore to an earlier point: what was lost is no end of what there is.
  site.add(site.chain, 1);
  CHECK(site.probe_says("reconcile", State::kOk, ""));
}

TEST_CASE("a store that is away is no finding", "[audit][pg][archive]") {
  ArchiveSite site(kClosely);
  site.add(site.chain, 2);
  site.open();
  REQUIRE(site.becomes_stamped(2));
  site.store.fail(1'000'000, 503, "SlowDown");
  const auto asked = site.store.log().size();
  REQUIRE(wait_until(kPatience, [&] { return site.store.log().size() > asked + 4; }));
  CHECK(site.quarantined().empty());
  CHECK(site.probe_says("reconcile", State::kOk, ""));
}

TEST_CASE("what is past its retention may be gone", "[audit][pg][archive]") {
  ArchiveSite site(std::string(kClosely) + "archive_retention = \"24h\"\n");
  site.add(site.chain, 2);
  site.open();
  REQUIRE(site.becomes_stamped(2));
  site.database.tamper(
      "UPDATE audit.audit_log_entry SET archived_at = now() - interval '25 hours' WHERE seq = 1");
  site.store.erase(object_key(site.chain, 1));
  REQUIRE(comes_round(site, 2));
  CHECK(site.quarantined().empty());
  CHECK(site.probe_says("reconcile", State::kOk, ""));
}

}  // namespace plexsphere::audit
