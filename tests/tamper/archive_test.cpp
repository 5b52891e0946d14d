// The chain's mirror: what is done to it, what it knows of the database, and what a restore from it
// leaves behind.
#include <catch2/catch.hpp>

#include "app/projection.hpp"
#include "support/wait_until.hpp"
#include "tamper/export_copy.hpp"
#include "tamper/site.hpp"

namespace plexsphere::tamper {
namespace {

using audit::object_key;

constexpr std::chrono::seconds kPatience{20};

std::string of_chain() {
  return " WHERE domain_id = '" + site().chain().text() + "'";
}

// What the leader's scan has found so far; `first` is how it begins once it is there.
std::string scan_finds(const std::string& first) {
  const auto findings = [] {
    return site().attack(
        "SELECT string_agg(seq::text, ' ' ORDER BY seq) FROM audit.audit_tamper_quarantine" +
        of_chain() + " AND finding = 'mirror_divergence'");
  };
  const auto core = site().origin().core("verify_interval = \"24h\"\n");
  (void)test_support::wait_until(kPatience, [&] { return findings().starts_with(first); });
  return findings();
}

}  // namespace

TEST_CASE("objects swapped, gone, or stamped otherwise are found with their entries",
          "[audit][pg][tamper][archive]") {
  auto& mirror = site().origin().mirror();
  const auto good = mirror.objects();
  const auto key = [](int seq) { return object_key(site().chain(), seq); };
  mirror.put(key(3), good.at(key(4)).body);
  mirror.put(key(4), good.at(key(3)).body);
  mirror.put(key(5), good.at(object_key(site().origin().other(), 5)).body);
  site().attack("UPDATE audit.audit_log_entry SET archive_etag = 'x'" + of_chain() +
                " AND seq = 7");
  // A stamp set back does not hide that an object is gone.
  site().attack("UPDATE audit.audit_log_entry SET archived_at = '2001-01-01'" + of_chain() +
                " AND seq = 9");
  mirror.erase(key(9));
  CHECK(scan_finds("3 4 5 7 9") == "3 4 5 7 9");
  site().undo();
  for (const int seq : {3, 4, 5, 9}) {
    mirror.put(key(seq), good.at(key(seq)).body);
  }
}

TEST_CASE("a chain that was made to fit again is found by its copies, from the entry on",
          "[audit][pg][tamper][archive]") {
  const std::string chain = "'" + site().chain().text() + "'";
  site().attack("SELECT kept.say(" + chain + ", 8, 'forged')");
  site().attack("SELECT kept.rehash(" + chain + ", 8)");
  CHECK(scan_finds("8 9 10 11 12 13 14 15 16").starts_with("8 9 10 11 12 13 14 15 16"));
  site().undo();
}

TEST_CASE("an end that no checkpoint covers and that was cut off is known to the mirror",
          "[audit][pg][tamper][archive]") {
  site().attack("DELETE FROM audit.audit_log_entry" + of_chain() + " AND seq > 990");
  site().attack(
      "UPDATE audit.audit_log_chain_head h SET seq = 990, entry_hash = e.entry_hash FROM "
      "audit.audit_log_entry e WHERE e.domain_id = h.domain_id AND e.seq = 990 AND h.domain_id = "
      "'" +
      site().chain().text() + "'");
  CHECK(site().verify().empty());
  CHECK(scan_finds("991") == "991");
  site().undo();
}

TEST_CASE(
    "a chain that was archived, dropped and restored, and one that a person was erased from, "
    "hold for everybody",
    "[audit][pg][tamper][archive]") {
  Site& chain = site();
  ExportCopy copy(chain.origin());
  {
    const auto core = chain.origin().core("verify_interval = \"24h\"\n");
    chain.attack("DELETE FROM audit.audit_log_entry" + of_chain() + " AND seq BETWEEN 200 AND 280");
    chain.attack("DELETE FROM audit.audit_request_context" + of_chain() +
                 " AND seq BETWEEN 200 AND 280");
    chain.attack(
        "INSERT INTO audit.audit_restore_request (id, domain_id, from_seq, to_seq) VALUES ('" +
        sdk::Uuid::v7(9).text() + "', '" + chain.chain().text() + "', 190, 290)");
    REQUIRE(test_support::wait_until(kPatience, [&] {
      return chain.attack("SELECT outcome FROM audit.audit_restore_request") == "restored";
    }));
    const auto erased = core->call("POST /v1/domains/{domain_id}/audit/erase-identity",
                                   {{"domain_id", chain.chain().text()}}, {},
                                   R"({"identity_id":")" + Origin::subject(8).text() + "\"}");
    REQUIRE(erased.status == 200);
    const auto taken = chain.origin().take_export(*core, chain.chain(), "restored");
    copy.chain = lines_of(taken / "chain.json");
    copy.checkpoints = lines_of(taken / "checkpoints.jsonl");
    copy.entries = lines_of(taken / "entries.jsonl");
  }
  (void)chain.found();  // the gap, if that core's watch came by while it was there
  CHECK(chain.look() == Verdicts{});
  CHECK(copy.verify().code == 0);
  chain.undo();
}

}  // namespace plexsphere::tamper
