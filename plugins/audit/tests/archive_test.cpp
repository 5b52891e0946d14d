// The archiver against a strict store: what it copies, what it stamps, and what it never does.
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

TEST_CASE("every entry of every chain is copied and stamped with what the store calls it",
          "[audit][pg][archive]") {
  ArchiveSite site;
  const Uuid other = Uuid::v7(2);
  site.add(site.chain, 130);  // more than two batches
  site.add(other, 3);
  site.open();
  REQUIRE(site.becomes_stamped(133));
  const auto objects = site.store.objects();
  REQUIRE(objects.size() == 133);
  CHECK(site.store.puts() == 133);
  for (const auto& [key, object] : objects) {
    INFO(key);
    const auto entry = from_object(object.body);
    REQUIRE(entry.has_value());
    CHECK(key == object_key(entry->chain, entry->seq));
    CHECK(proves_itself(*entry));
    CHECK(object.content_type == "application/zstd");
  }
  // What the database holds, and what the store holds, by the database's own encoding.
  const auto first = from_object(objects.at(object_key(site.chain, 1)).body);
  const auto second = from_object(objects.at(object_key(site.chain, 2)).body);
  CHECK(second->prev_hash == first->entry_hash);
  CHECK(site.database.query("SELECT count(*) FROM audit.audit_log_entry WHERE archive_etag = '" +
                            objects.at(object_key(other, 3)).etag.substr(1, 32) +
                            "' AND domain_id = '" + other.text() + "' AND seq = 3") == "1");
  CHECK(
      wait_until(kPatience, [&] { return site.metric("plexsphere_audit_archived_total") == 133; }));
  CHECK(site.database.query("SELECT string_agg(seq::text, ',' ORDER BY seq) FROM "
                            "audit.audit_archive_position") == "3,130");
}

TEST_CASE("what is appended later is copied too, and nothing twice", "[audit][pg][archive]") {
  ArchiveSite site;
  site.add(site.chain, 2);
  site.open();
  REQUIRE(site.becomes_stamped(2));
  REQUIRE(site.live->stage({test::change_in(site.chain)}).ok());
  REQUIRE(site.becomes_stamped(3));
  site.close();
  site.open();
  REQUIRE(site.live->stage({test::change_in(site.chain)}).ok());
  REQUIRE(site.becomes_stamped(4));
  CHECK(site.store.puts() == 4);
  CHECK(site.requests("HEAD ") == 4);
}

TEST_CASE("objects are locked for seven years, or for what a Domain has of its own",
          "[audit][pg][archive]") {
  const Uuid other = Uuid::v7(2);
  ArchiveSite site("archive_domain_retention = [\"" + other.text() + "=30d\"]\n");
  site.add(site.chain, 1);
  site.add(other, 1);
  site.open();
  REQUIRE(site.becomes_stamped(2));
  const auto days_of = [&](const Uuid& chain) {
    const auto object = site.store.objects().at(object_key(chain, 1));
    CHECK(object.lock_mode == "GOVERNANCE");
    return std::stoi(site.database.query("SELECT round(extract(epoch FROM '" + object.retain_until +
                                         "'::timestamptz - now()) / 86400)"));
  };
  CHECK(days_of(site.chain) == 2557);
  CHECK(days_of(other) == 30);
}

TEST_CASE("with object lock off no object is locked", "[audit][pg][archive]") {
  ArchiveSite site("archive_object_lock = \"off\"\n");
  site.add(site.chain, 1);
  site.open();
  REQUIRE(site.becomes_stamped(1));
  CHECK(site.store.objects().begin()->second.lock_mode.empty());
}

TEST_CASE("without an endpoint there is no mirror and nothing is said of one",
          "[audit][pg][archive]") {
  ArchiveSite site;
  site.live = std::make_unique<test::LiveAudit>(site.database, 8, "");
  CHECK_FALSE(site.probe("archive").has_value());
  CHECK(site.live->metrics().find("plexsphere_audit_archive") == std::string::npos);
}

TEST_CASE("the archiver's role may stamp an entry once, and change nothing else of it",
          "[audit][pg][archive]") {
  ArchiveSite site;
  site.add(site.chain, 1);
  const auto refusal = [&](const std::string& set) {
    return site.database.refusal("audit", "UPDATE audit.audit_log_entry SET " + set);
  };
  CHECK(refusal("relation = 'x'").find("permission denied") != std::string::npos);
  CHECK(refusal("archive_etag = 'e'").find("audit_append_only") != std::string::npos);
  site.database.query("UPDATE audit.audit_log_entry SET archive_etag = 'e', archived_at = now()");
  CHECK(refusal("archive_etag = 'f', archived_at = now()").find("audit_append_only") !=
        std::string::npos);
  CHECK(site.database.refusal("audit", "DELETE FROM audit.audit_archive_position")
            .find("permission denied") != std::string::npos);
}

TEST_CASE("settings that cannot be meant are refused with their key", "[audit][pg][archive]") {
  test::ChainDatabase database;
  const auto refusal = [&](const std::string& settings) -> std::string {
    try {
      test::LiveAudit live(database, 4, "archive_endpoint = \"https://s3.example\"\n" + settings);
      return "";
    } catch (const std::exception& error) {
      return error.what();
    }
  };
  CHECK(refusal("").empty());
  CHECK(refusal("archive_bucket = \"No\"\n").find("archive_bucket is 'No'") != std::string::npos);
  CHECK(refusal("archive_region = \"EU 1\"\n").find("archive_region") != std::string::npos);
  CHECK(refusal("archive_object_lock = \"yes\"\n").find("governance, compliance or off") !=
        std::string::npos);
  for (const std::string item :
       {"x=1d", "0190a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b", "0190a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b=0d",
        "0190a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b=1y"}) {
    CHECK(refusal("archive_domain_retention = [\"" + item + "\"]\n").find(item) !=
          std::string::npos);
  }
}

}  // namespace plexsphere::audit
