// Erasure: a person goes, the chain stays.
#include <atomic>
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <thread>

#include "live_audit.hpp"
#include "plexsphere/sdk/encoding.hpp"

namespace plexsphere::audit {
namespace {

using sdk::Uuid;
using test::ChainDatabase;
using test::change_in;
using test::LiveAudit;
using test::Reply;
using Json = nlohmann::json;

const std::string kAnna = "0190a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b";  // who acts in change_in
const std::string kBert = "0190a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2c";
const std::string kAddress = "192.0.2.7";
const std::string kAgent = "plexctl/1.0";

ChainDatabase& database() {
  static ChainDatabase instance;
  return instance;
}

sdk::AuditEntry change_by(const Uuid& domain, const std::string& who) {
  sdk::AuditEntry entry = change_in(domain);
  entry.subject_id = who;
  return entry;
}

struct Chain {
  Chain() { live.add_domain(domain); }

  void add(const sdk::AuditEntry& entry) const { REQUIRE(live.stage({entry}).ok()); }
  Reply call(const std::string& method, const std::string& rest, const std::string& body = {},
             const LiveAudit::Pairs& query = {}) const {
    return live.call(method + " /v1/domains/{domain_id}/audit/" + rest,
                     {{"domain_id", domain.text()}}, query, body);
  }
  Reply erase(const std::string& body) const { return call("POST", "erase-identity", body); }
  Json erased(const std::string& who) const {
    const Reply reply = erase(identity(who));
    INFO(reply.code << " " << reply.detail);
    REQUIRE(reply.status == 200);
    return Json::parse(reply.body);
  }
  Json listed(const LiveAudit::Pairs& query = {}) const {
    return Json::parse(call("GET", "entries", {}, query).body).at("items");
  }
  bool intact() const {
    return Json::parse(call("POST", "verify").body).at("ok").get<bool>() &&
           test::independent_verification(database(), domain) > 0;
  }
  // Everything the database holds of the chain, as text.
  std::string contents() const {
    std::string all;
    for (const char* table : {"audit_log_entry", "audit_log_chain_head", "audit_subject_pii",
                              "audit_request_context", "audit_erased_subject"}) {
      all += database().query("SELECT string_agg(t::text, E'\n') FROM audit." + std::string(table) +
                              " t WHERE domain_id = '" + domain.text() + "'");
    }
    all += database().query(
        "SELECT string_agg(convert_from(canonical_bytes, 'UTF8'), E'\n') FROM "
        "audit.audit_log_entry WHERE domain_id = '" +
        domain.text() + "'");
    return all;
  }
  static std::string identity(const std::string& who) { return Json{{"identity_id", who}}.dump(); }

  LiveAudit live{database()};
  Uuid domain = Uuid::v7(1);
};

bool names(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// A UUID's bytes as PostgreSQL prints them in a bytea.
std::string hex_of(const std::string& uuid) {
  return sdk::hex_encode(Uuid::parse(uuid)->bytes());
}

}  // namespace

TEST_CASE("an erased person is nowhere in the database, and the chain verifies before and after",
          "[audit][pg][erasure]") {
  const Chain chain;
  chain.add(change_by(chain.domain, kAnna));
  chain.add(change_by(chain.domain, kBert));
  REQUIRE(chain.intact());
  REQUIRE(names(chain.contents(), kAnna));
  REQUIRE(names(chain.contents(), kAddress));
  const Json before = chain.listed();

  const Json answer = chain.erased(kAnna);
  CHECK(answer.at("subject_pseudonym") == before[0].at("subject").at("pseudonym"));
  CHECK(chain.intact());
  const std::string left = chain.contents();
  CHECK_FALSE(names(left, kAnna));
  CHECK_FALSE(names(left, hex_of(kAnna)));

  const Json after = chain.listed();
  REQUIRE(after.size() == 3);
  CHECK_FALSE(after[0].at("subject").contains("identity_id_ref"));
  CHECK(after[0].at("request_context") == Json::object());
  CHECK(after[0].at("entry_hash") == before[0].at("entry_hash"));
  CHECK(after[1] == before[1]);  // somebody else's
}

TEST_CASE("the erasure is an entry of the chain that names nobody but who asked for it",
          "[audit][pg][erasure]") {
  const Chain chain;
  chain.add(change_by(chain.domain, kAnna));
  const Json answer = chain.erased(kAnna);
  const Json entry = chain.listed().at(1);
  CHECK(entry.at("relation") == "audit.erase-identity");
  CHECK(entry.at("reason") == "granted");
  CHECK(entry.at("object") ==
        Json{{"type", "audit_subject"}, {"id", answer.at("subject_pseudonym")}});
  CHECK(entry.at("occurred_at") == answer.at("erased_at"));
}

TEST_CASE("erasing again is harmless, and is told again", "[audit][pg][erasure]") {
  const Chain chain;
  chain.add(change_by(chain.domain, kAnna));
  const Json first = chain.erased(kAnna);
  const Json second = chain.erased(kAnna);
  CHECK(second.at("subject_pseudonym") == first.at("subject_pseudonym"));
  CHECK(chain.listed().size() == 3);
  CHECK(chain.intact());
}

TEST_CASE("whoever was never in the chain can be erased from it too", "[audit][pg][erasure]") {
  const Chain chain;
  chain.add(change_by(chain.domain, kBert));
  const Json answer = chain.erased(kAnna);
  CHECK(answer.at("subject_pseudonym") != chain.listed().at(0).at("subject").at("pseudonym"));
  CHECK(chain.listed().at(0).at("subject").at("identity_id_ref") == kBert);
}

TEST_CASE("what the erased do afterwards is on record without their name", "[audit][pg][erasure]") {
  const Chain chain;
  chain.add(change_by(chain.domain, kAnna));
  const Json answer = chain.erased(kAnna);
  chain.add(change_by(chain.domain, kAnna));
  const Json later = chain.listed().at(2);
  CHECK(later.at("subject") == Json{{"pseudonym", answer.at("subject_pseudonym")}});
  CHECK(later.at("request_context") == Json::object());
  CHECK_FALSE(names(chain.contents(), kAnna));
  CHECK_FALSE(names(chain.contents(), kAgent));
  CHECK(chain.intact());
}

TEST_CASE("a person who is an entry's object is named until erased, and found by id and pseudonym",
          "[audit][pg][erasure]") {
  const Chain chain;
  sdk::AuditEntry about = change_by(chain.domain, kBert);
  about.object_type = "user";
  about.object_id = kAnna;
  about.relation_path = {"user:" + kAnna + "#manage", "domain:x#admin"};
  chain.add(about);
  CHECK(chain.listed().at(0).at("object") == Json{{"type", "user"}, {"id", kAnna}});
  CHECK(chain.listed({{"object_id", kAnna}}).size() == 1);

  const std::string pseudonym = chain.erased(kAnna).at("subject_pseudonym");
  CHECK(chain.listed().at(0).at("object") == Json{{"type", "user"}, {"id", pseudonym}});
  CHECK(chain.listed({{"object_type", "user"}, {"object_id", pseudonym}}).size() == 1);
  CHECK_FALSE(names(chain.contents(), kAnna));
  CHECK(chain.intact());
}

TEST_CASE("erasure in one chain leaves the others as they are", "[audit][pg][erasure]") {
  const Chain here;
  const Chain there;
  here.add(change_by(here.domain, kAnna));
  there.add(change_by(there.domain, kAnna));
  const Json before = there.listed();
  CHECK(here.erased(kAnna).at("subject_pseudonym") !=
        before[0].at("subject").at("pseudonym").get<std::string>());
  CHECK(there.listed() == before);
}

TEST_CASE("who keeps acting while being erased leaves nothing beside the chain",
          "[audit][pg][erasure]") {
  const Chain chain;
  std::atomic<bool> stop{false};
  std::atomic<int> added{0};
  std::thread writer([&] {
    while (!stop) {
      added += chain.live.stage({change_by(chain.domain, kAnna)}).ok() ? 1 : 0;
    }
  });
  while (added < 20) {
    std::this_thread::yield();
  }
  (void)chain.erased(kAnna);
  const int at_erasure = added;
  while (added < at_erasure + 20) {
    std::this_thread::yield();
  }
  stop = true;
  writer.join();
  const std::string left = chain.contents();
  CHECK_FALSE(names(left, kAnna));
  CHECK_FALSE(names(left, kAgent));
  CHECK(chain.intact());
}

TEST_CASE("a body that names no identity is refused and erases nothing", "[audit][pg][erasure]") {
  const Chain chain;
  chain.add(change_by(chain.domain, kAnna));
  for (const std::string body :
       {R"({})", R"({"identity_id":"anna"})", "", "[]", R"({"identity_id":7})"}) {
    CHECK(chain.erase(body).code == "invalid_body");
  }
  CHECK(chain.listed().size() == 1);
  CHECK(chain.listed().at(0).at("subject").at("identity_id_ref") == kAnna);
}

TEST_CASE("the platform's chain forgets persons as well", "[audit][pg][erasure]") {
  const LiveAudit live{database()};
  const Reply reply =
      live.call("POST /v1/platform/audit/erase-identity", {}, {}, Chain::identity(kBert));
  REQUIRE(reply.status == 200);
  const Reply list =
      live.call("GET /v1/platform/audit/entries", {}, {{"relation", "audit.erase-identity"}});
  CHECK(Json::parse(list.body).at("items").at(0).at("object").at("id") ==
        Json::parse(reply.body).at("subject_pseudonym"));
}

TEST_CASE("what stands beside a chain leaves it by erasure only, for its owner too",
          "[audit][pg][erasure]") {
  const Chain chain;
  chain.add(change_by(chain.domain, kAnna));
  const std::string of_chain = " WHERE domain_id = '" + chain.domain.text() + "'";
  for (const std::string& sql :
       {"DELETE FROM audit.audit_subject_pii" + of_chain,
        "DELETE FROM audit.audit_request_context" + of_chain,
        "UPDATE audit.audit_subject_pii SET subject_plaintext = 'x'" + of_chain,
        std::string("TRUNCATE audit.audit_subject_pii"),
        std::string("TRUNCATE audit.audit_erased_subject")}) {
    INFO(sql);
    CHECK_THROWS_WITH(database().query(sql), Catch::Contains("audit_append_only"));
  }
  (void)chain.erased(kAnna);
  CHECK_THROWS_WITH(database().query("DELETE FROM audit.audit_erased_subject" + of_chain),
                    Catch::Contains("audit_append_only"));
}

}  // namespace plexsphere::audit
