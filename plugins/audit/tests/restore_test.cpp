// A dropped window comes back from the mirror and is proved; what cannot be proved does not.
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

// A site whose chain was archived, and whose process is gone.
struct Dropped : ArchiveSite {
  explicit Dropped(int entries) : size(entries) {
    add(chain, entries);
    open();
    REQUIRE(becomes_stamped(entries));
    close();
    before = content();
  }

  // What the rows say, all of them but when they were archived.
  std::string content() const {
    return database.query(
        "SELECT md5(string_agg(to_jsonb(e)::text, '|' ORDER BY seq)) FROM (SELECT domain_id, seq, "
        "prev_hash, entry_hash, canonical_bytes, occurred_at, reason, relation, object_type, "
        "object_id, subject_pseudonym, correlation_id, archive_etag FROM audit.audit_log_entry "
        "WHERE seq <= " +
        std::to_string(size) + ") e");
  }
  void drop(int from, int to) const {
    database.tamper("DELETE FROM audit.audit_log_entry WHERE seq BETWEEN " + std::to_string(from) +
                    " AND " + std::to_string(to));
  }
  void ask(int from, int to) const {
    database.query(
        "INSERT INTO audit.audit_restore_request (id, domain_id, from_seq, to_seq) "
        "VALUES ('" +
        Uuid::v7(9).text() + "', '" + chain.text() + "', " + std::to_string(from) + ", " +
        std::to_string(to) + ")");
  }
  // Outcome and detail once there is one.
  std::string answer() const {
    const std::string sql =
        "SELECT outcome || ': ' || detail FROM audit.audit_restore_request WHERE ended_at IS NOT "
        "NULL";
    REQUIRE(wait_until(kPatience, [&] { return !database.query(sql).empty(); }));
    return database.query(sql);
  }
  std::string last_entry() const {
    return database.query(
        "SELECT convert_from(canonical_bytes, 'UTF8') FROM audit.audit_log_entry ORDER BY seq DESC "
        "LIMIT 1");
  }

  int size;
  std::string before;
};

}  // namespace

TEST_CASE("a dropped window comes back as it was, is proved, and readiness with it",
          "[audit][pg][archive]") {
  Dropped site(150);
  site.drop(10, 140);  // three batches
  REQUIRE(site.content() != site.before);
  site.verify_interval = "50ms";
  site.open();
  REQUIRE(site.probe_says("reconcile", State::kDown, "missing_entry"));
  site.ask(10, 140);
  const std::string answer = site.answer();
  const std::string hash = site.database.query(
      "SELECT encode(entry_hash, 'hex') FROM audit.audit_log_entry WHERE seq = 140");
  CHECK(answer ==
        "restored: 131 entries were restored; 10 to 140 hold, the last with hash " + hash);
  CHECK(site.content() == site.before);
  CHECK(site.probe_says("reconcile", State::kOk, ""));
  const std::string own = site.last_entry();
  CHECK(own.find(R"("relation":"audit.restore")") != std::string::npos);
  CHECK(own.find(R"("relation_path":["entries","10-140","restored"])") != std::string::npos);
  CHECK(test::independent_verification(site.database, site.chain) == 151);
  CHECK(site.store.puts() <= 151);  // what came back is not copied again
}

TEST_CASE("the beginning and the end of a chain come back too, and only what is missing",
          "[audit][pg][archive]") {
  Dropped site(12);
  site.drop(1, 3);
  site.drop(10, 12);  // the head vouches for the last
  site.ask(1, 12);
  site.open();
  CHECK(site.answer().starts_with("restored: 6 entries were restored; 1 to 12 hold"));
  CHECK(site.content() == site.before);
  CHECK(test::independent_verification(site.database, site.chain) == 13);
}

TEST_CASE("a window of which nothing is missing is proved and nothing is changed",
          "[audit][pg][archive]") {
  Dropped site(4);
  site.ask(2, 3);
  site.open();
  CHECK(site.answer().starts_with("restored: 0 entries were restored; 2 to 3 hold"));
  CHECK(site.content() == site.before);
}

TEST_CASE("what the mirror cannot prove does not come back", "[audit][pg][archive]") {
  Dropped site(6);
  site.drop(3, 4);
  const std::string dropped = site.content();
  const std::string key = object_key(site.chain, 3);
  const std::string good = site.store.objects().at(key).body;
  SECTION("an object that is gone") {
    site.store.erase(key);
    site.ask(3, 4);
    site.open();
    CHECK(site.answer() == "refused: entry 3 is not in the mirror");
  }
  SECTION("an object that is damaged") {
    site.store.put(key, good.substr(0, good.size() - 4));
    site.ask(3, 4);
    site.open();
    CHECK(site.answer() == "refused: entry 3 is in the mirror, but its object does not prove it");
  }
  SECTION("an object that is sound and was never in this chain") {
    auto forged = *from_object(good);
    const auto at = forged.canonical_bytes.find("\"a2\"");
    REQUIRE(at != std::string::npos);
    forged.canonical_bytes.replace(at, 4, "\"x2\"");
    forged.entry_hash = entry_hash(forged.prev_hash, forged.canonical_bytes);
    site.store.put(key, to_object(forged));
    site.ask(3, 4);
    site.open();
    CHECK(site.answer().starts_with("refused: audit_restore_not_linked"));
  }
  SECTION("a window past the end of the chain") {
    site.ask(3, 7);
    site.open();
    CHECK(site.answer() == "refused: entry 7 is not in the mirror");
  }
  CHECK(site.content() == dropped);
  CHECK(site.last_entry().find(R"("relation_path":["entries","3-)") != std::string::npos);
  CHECK(site.last_entry().find(R"("refused"])") != std::string::npos);
}

TEST_CASE("a restore waits for a store that is away", "[audit][pg][archive]") {
  Dropped site(4);
  site.drop(2, 3);
  site.store.fail(8, 503, "SlowDown");  // whoever asks: the scan does as well
  site.ask(2, 3);
  site.open();
  CHECK(wait_until(kPatience, [&] {
    return site.database.query("SELECT detail FROM audit.audit_restore_request")
               .find("cannot be fetched: mirror_refused") != std::string::npos;
  }));
  CHECK(site.answer().starts_with("restored: 2 entries were restored"));
  CHECK(site.content() == site.before);
}

TEST_CASE("the core cannot ask for a restore, and without one the function takes nothing",
          "[audit][pg][archive]") {
  Dropped site(4);
  const auto refusal = [&](const std::string& sql) { return site.database.refusal("audit", sql); };
  CHECK(refusal("INSERT INTO audit.audit_restore_request (id, domain_id, from_seq, to_seq) VALUES "
                "(gen_random_uuid(), gen_random_uuid(), 1, 1)") == "permission denied");
  CHECK(refusal("UPDATE audit.audit_restore_request SET to_seq = 9") == "permission denied");
  site.ask(2, 3);
  const std::string id = Uuid::v7(9).text();
  const std::string stored =
      site.database.query("SELECT id FROM audit.audit_restore_request LIMIT 1");
  const auto call = [&](const std::string& request, const std::string& columns,
                        const std::string& where) {
    return refusal("SELECT audit.restore_entries('" + request + "', array_agg(seq), " + columns +
                   ", array_agg('e'::text)) FROM audit.audit_log_entry WHERE " + where);
  };
  const std::string all = "array_agg(prev_hash), array_agg(entry_hash), array_agg(canonical_bytes)";
  CHECK(call(id, all, "seq = 2") == "audit_restore_not_asked");
  CHECK(call(stored, all, "seq = 4") == "audit_restore_outside_window");
  CHECK(call(stored, "array_agg(prev_hash), array_agg(prev_hash), array_agg(canonical_bytes)",
             "seq = 2") == "audit_restore_not_sound");
  CHECK(refusal("SELECT audit.restore_entries('" + stored + "', '{2}', '{}', '{}', '{}', '{}')") ==
        "audit_arrays_differ");
  CHECK(call(stored, all, "seq = 2") != "");  // what is stored is not put there again
  CHECK(site.content() == site.before);
}

}  // namespace plexsphere::audit
