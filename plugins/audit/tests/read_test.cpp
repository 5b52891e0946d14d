// What auditors read: lists, entries with their proof, verification; and what readiness says.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "app/digest.hpp"
#include "live_audit.hpp"
#include "plexsphere/sdk/encoding.hpp"

namespace plexsphere::audit {
namespace {

using sdk::Uuid;
using test::ChainDatabase;
using test::change_in;
using test::decision_on;
using test::LiveAudit;
using test::Reply;
using Json = nlohmann::json;

const std::string kList = "GET /v1/domains/{domain_id}/audit/entries";
const std::string kGet = "GET /v1/domains/{domain_id}/audit/entries/{seq}";
const std::string kVerify = "POST /v1/domains/{domain_id}/audit/verify";

ChainDatabase& database() {
  static ChainDatabase instance;
  return instance;
}

// A Domain of its own with `entries` changes: "a0", "a1", …
struct Chain {
  LiveAudit live{database()};
  Uuid domain = Uuid::v7(1);

  explicit Chain(int entries) {
    live.add_domain(domain);
    for (int i = 0; i < entries; ++i) {
      REQUIRE(live.stage({change_in(domain, "a" + std::to_string(i))}).ok());
    }
  }
  Reply list(const LiveAudit::Pairs& query = {}) const {
    return live.call(kList, {{"domain_id", domain.text()}}, query);
  }
  Json listed(const LiveAudit::Pairs& query = {}) const {
    const Reply reply = list(query);
    INFO(reply.code << " " << reply.detail);
    REQUIRE(reply.status == 200);
    return Json::parse(reply.body);
  }
  Reply get(const std::string& seq) const {
    return live.call(kGet, {{"domain_id", domain.text()}, {"seq", seq}});
  }
  Json verified(const std::string& body = {}) const {
    const Reply reply = live.call(kVerify, {{"domain_id", domain.text()}}, {}, body);
    INFO(reply.code << " " << reply.detail);
    REQUIRE(reply.status == 200);
    return Json::parse(reply.body);
  }
  std::string where(int seq) const {
    return " WHERE domain_id = '" + domain.text() + "' AND seq = " + std::to_string(seq);
  }
  std::string quarantined() const {
    return database().query(
        "SELECT seq || ' ' || finding FROM audit.audit_tamper_quarantine WHERE domain_id = '" +
        domain.text() + "'");
  }
};

std::vector<int> seqs(const Json& list) {
  std::vector<int> out;
  for (const Json& item : list.at("items")) {
    out.push_back(item.at("seq").get<int>());
  }
  return out;
}

TEST_CASE("an entry shows what was recorded, in the contract's shape", "[audit][pg]") {
  const Chain chain(1);
  const Json list = chain.listed();
  const Json entry = list.at("items").at(0);
  CHECK(entry.at("seq") == 1);
  CHECK(entry.at("domain_id") == chain.domain.text());
  CHECK(entry.at("reason") == "granted");
  CHECK(entry.at("relation") == "a0");
  CHECK(entry.at("object") == Json{{"type", "project"}, {"id", "p"}});
  CHECK(entry.at("decision") == Json{{"result", "granted"}, {"caveat_context", Json::object()}});
  CHECK(entry.at("correlation_id") == "corr-p");
  CHECK(entry.at("request_context") == Json{{"ip", "192.0.2.7"}, {"user_agent", "plexctl/1.0"}});
  CHECK(entry.at("subject").at("identity_id_ref") == "0190a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b");
  CHECK(entry.at("subject").at("pseudonym").get<std::string>().size() == 64);
  CHECK(entry.at("prev_hash") == std::string(64, '0'));
  CHECK_FALSE(entry.contains("archived_at"));
  CHECK_FALSE(list.contains("next_cursor"));
}

TEST_CASE("an entry whose siblings were erased still reads and verifies", "[audit][pg]") {
  const Chain chain(1);
  database().query(
      "SELECT audit.erase_subject(domain_id, subject_pseudonym) FROM audit.audit_log_entry" +
      chain.where(1));
  const Json entry = chain.listed().at("items").at(0);
  CHECK_FALSE(entry.at("subject").contains("identity_id_ref"));
  CHECK(entry.at("request_context") == Json::object());
  CHECK(chain.verified().at("ok") == true);
}

TEST_CASE("pages ascend and end with a short one", "[audit][pg]") {
  const Chain chain(5);
  Json page = chain.listed({{"limit", "2"}});
  CHECK(seqs(page) == std::vector<int>{1, 2});
  page = chain.listed({{"limit", "2"}, {"cursor", page.at("next_cursor")}});
  CHECK(seqs(page) == std::vector<int>{3, 4});
  page = chain.listed({{"limit", "2"}, {"cursor", page.at("next_cursor")}});
  CHECK(seqs(page) == std::vector<int>{5});
  CHECK_FALSE(page.contains("next_cursor"));
}

TEST_CASE("a cursor of another chain, or none of ours, is refused", "[audit][pg]") {
  const Chain one(2);
  const Chain other(2);
  const std::string cursor = one.listed({{"limit", "1"}}).at("next_cursor");
  for (const std::string& bad : {cursor + "A", std::string("x"), std::string()}) {
    CHECK(one.list({{"cursor", bad}}).code == "invalid_cursor");
  }
  const Reply foreign = other.list({{"cursor", cursor}});
  CHECK(foreign.status == 400);
  CHECK(foreign.code == "invalid_cursor");
  CHECK(other.list({{"limit", "0"}}).code == "invalid_limit");
  CHECK(other.list({{"limit", "201"}}).code == "invalid_limit");
}

TEST_CASE("filters compose", "[audit][pg]") {
  Chain chain(3);
  chain.live.add_project("denied", {chain.domain});
  auto denied = decision_on("denied");
  denied.reason = PX_REASON_INSUFFICIENT_RELATION;
  denied.subject_id = "0190a1b2-c3d4-7e5f-8a6b-000000000002";
  REQUIRE(chain.live.record(denied).first == PX_OK);

  const Json all = chain.listed();
  REQUIRE(seqs(all) == std::vector<int>{1, 2, 3, 4});
  const std::string first_subject = all["items"][0]["subject"]["pseudonym"];
  const std::string last_subject = all["items"][3]["subject"]["pseudonym"];
  CHECK(seqs(chain.listed({{"subject", first_subject}})) == std::vector<int>{1, 2, 3});
  CHECK(seqs(chain.listed({{"subject", last_subject}})) == std::vector<int>{4});
  CHECK(seqs(chain.listed({{"relation", "a1"}})) == std::vector<int>{2});
  CHECK(seqs(chain.listed({{"object_id", "denied"}})) == std::vector<int>{4});
  CHECK(seqs(chain.listed({{"object_type", "project"}, {"object_id", "p"}})) ==
        std::vector<int>{1, 2, 3});
  CHECK(seqs(chain.listed({{"reason", "insufficient_relation"}})) == std::vector<int>{4});
  CHECK(seqs(chain.listed({{"correlation_id", "corr-denied"}})) == std::vector<int>{4});
  CHECK(
      seqs(chain.listed({{"correlation_id", "corr-denied"}, {"subject", first_subject}})).empty());
  const std::string second = all["items"][1]["occurred_at"];
  CHECK(seqs(chain.listed({{"from", second}})) == std::vector<int>{2, 3, 4});
  CHECK(seqs(chain.listed({{"from", second}, {"to", second}})) == std::vector<int>{2});
}

TEST_CASE("a filter that cannot be meant is refused by name", "[audit][pg]") {
  const Chain chain(0);
  const auto refusal = [&](const LiveAudit::Pairs& query) {
    const Reply reply = chain.list(query);
    CHECK(reply.status == 400);
    CHECK(reply.code == "invalid_filter");
    return reply.detail;
  };
  CHECK_THAT(refusal({{"subject", "alice"}}), Catch::Contains("\"subject\""));
  CHECK_THAT(refusal({{"subject", std::string(64, 'A')}}), Catch::Contains("lower-case"));
  CHECK_THAT(refusal({{"reason", "maybe"}}), Catch::Contains("\"reason\""));
  CHECK_THAT(refusal({{"from", "yesterday"}}), Catch::Contains("\"from\""));
  CHECK_THAT(refusal({{"from", "2026-01-02T00:00:00Z"}, {"to", "2026-01-01T00:00:00Z"}}),
             Catch::Contains("\"to\""));
}

TEST_CASE("a proof can be checked offline", "[audit][pg]") {
  const Chain chain(2);
  const Reply reply = chain.get("2");
  REQUIRE(reply.status == 200);
  const Json proof = Json::parse(reply.body).at("proof");
  const auto prev = sdk::hex_decode(proof.at("prev_hash").get<std::string>());
  const auto canonical = sdk::base64_decode(proof.at("canonical_bytes").get<std::string>());
  REQUIRE(prev);
  REQUIRE(canonical);
  CHECK(sdk::hex_encode(entry_hash(*prev, *canonical)) == proof.at("entry_hash"));
  CHECK(Json::parse(*canonical).at("relation") == "a1");
  CHECK(Json::parse(reply.body).at("entry").at("seq") == 2);
}

TEST_CASE("entries that are not there answer alike, whatever exists elsewhere", "[audit][pg]") {
  const Chain one(3);
  const Chain other(1);
  const Reply past = other.get("2");  // exists in the chain of `one`
  const Reply far = other.get("999999999999999999");
  const Reply nowhere = one.live.call(kGet, {{"domain_id", Uuid::v7(1).text()}, {"seq", "1"}});
  for (const Reply& reply : {past, far, nowhere}) {
    CHECK(reply.status == 404);
    CHECK(reply.code == "not_found");
    // The words the host answers a denied caller with (host/http/gate.cpp).
    CHECK(reply.detail == "There is no such object.");
  }
  for (const std::string bad : {"0", "-1", "x", "1.5", "01", "1000000000000000000"}) {
    CHECK(other.get(bad).code == "invalid_seq");
  }
}

TEST_CASE("the chain of a Domain that does not exist is 404, the platform's is not a Domain's",
          "[audit][pg]") {
  const Chain chain(0);
  for (const Uuid& id : {Uuid::v7(1), platform_anchor()}) {
    CHECK(chain.live.call(kList, {{"domain_id", id.text()}}).status == 404);
    CHECK(chain.live.call(kVerify, {{"domain_id", id.text()}}).status == 404);
  }
}

TEST_CASE("the platform's chain reads like a Domain's", "[audit][pg]") {
  const Chain chain(0);
  auto entry = decision_on("plexsphere");
  entry.object_type = "platform";
  REQUIRE(chain.live.record(entry).first == PX_OK);
  const Reply list = chain.live.call("GET /v1/platform/audit/entries");
  REQUIRE(list.status == 200);
  CHECK(Json::parse(list.body)["items"][0]["domain_id"] == platform_anchor().text());
  CHECK(chain.live.call("GET /v1/platform/audit/entries/{seq}", {{"seq", "1"}}).status == 200);
  CHECK(Json::parse(chain.live.call("POST /v1/platform/audit/verify").body).at("ok") == true);
}

TEST_CASE("a sound chain verifies, whole or in part", "[audit][pg]") {
  const Chain chain(5);
  CHECK(chain.verified() == Json{{"ok", true}, {"segment_from", 1}, {"segment_to", 5}});
  CHECK(chain.verified(R"({"from_seq":2,"to_seq":4})") ==
        Json{{"ok", true}, {"segment_from", 2}, {"segment_to", 4}});
  CHECK(chain.verified(R"({"to_seq":400})").at("segment_to") == 5);
  for (const std::string bad : {R"({"from_seq":0})", R"({"from_seq":3,"to_seq":2})",
                                R"({"from_seq":6})", R"({"from_seq":"1"})", "[]", "{"}) {
    INFO(bad);
    const Reply reply = chain.live.call(kVerify, {{"domain_id", chain.domain.text()}}, {}, bad);
    CHECK(reply.status == 400);
    CHECK(reply.code == "invalid_body");
  }
}

TEST_CASE("a chain longer than a stream's step verifies too", "[audit][pg]") {
  Chain chain(0);
  std::vector<sdk::AuditEntry> many(2500, change_in(chain.domain));
  REQUIRE(chain.live.stage(many).ok());
  CHECK(chain.verified() == Json{{"ok", true}, {"segment_from", 1}, {"segment_to", 2500}});
}

TEST_CASE("a walk that runs out of time says how far it came", "[audit][pg]") {
  Chain chain(0);
  std::vector<sdk::AuditEntry> many(1000, change_in(chain.domain));
  REQUIRE(chain.live.stage(many).ok());
  const Reply reply = chain.live.call(kVerify, {{"domain_id", chain.domain.text()}}, {}, {},
                                      std::chrono::milliseconds(0));
  REQUIRE(reply.status == 200);
  const Json verdict = Json::parse(reply.body);
  CHECK(verdict.at("ok") == true);
  const int reached = verdict.at("segment_to");
  CHECK(reached > 0);
  CHECK(reached < 1000);
  CHECK(chain.verified("{\"from_seq\":" + std::to_string(reached + 1) + "}") ==
        Json{{"ok", true}, {"segment_from", reached + 1}, {"segment_to", 1000}});
}

TEST_CASE("an empty chain has nothing to verify", "[audit][pg]") {
  CHECK(Chain(0).verified() == Json{{"ok", true}, {"segment_from", 1}, {"segment_to", 0}});
}

TEST_CASE("changed bytes are found, with both hashes, and quarantined", "[audit][pg]") {
  const Chain chain(4);
  database().tamper("UPDATE audit.audit_log_entry SET canonical_bytes = canonical_bytes || ' '" +
                    chain.where(3));
  const Json verdict = chain.verified();
  CHECK(verdict.at("ok") == false);
  CHECK(verdict.at("divergent_seq") == 3);
  CHECK(verdict.at("observed_hash") == chain.listed()["items"][2]["entry_hash"]);
  CHECK(verdict.at("expected_hash") != verdict.at("observed_hash"));
  CHECK(verdict.at("segment_to") == 3);
  CHECK(chain.quarantined() == "3 hash_mismatch");
  CHECK(chain.verified(R"({"to_seq":2})").at("ok") == true);
}

TEST_CASE("a changed filter column is found though every hash fits", "[audit][pg]") {
  const Chain chain(3);
  database().tamper("UPDATE audit.audit_log_entry SET relation = 'harmless'" + chain.where(2));
  CHECK(chain.verified().at("divergent_seq") == 2);
  CHECK(chain.quarantined() == "2 content_differs");
  // The record is the bytes: what is shown is what was recorded.
  CHECK(chain.listed()["items"][1]["relation"] == "a1");
}

TEST_CASE("a row rewritten with a fitting hash breaks the next one's link", "[audit][pg]") {
  const Chain chain(3);
  const std::string forged =
      "convert_to(replace(convert_from(canonical_bytes, 'UTF8'), '\"relation_path\":[]', "
      "'\"relation_path\":[\"x\"]'), 'UTF8')";
  database().tamper("UPDATE audit.audit_log_entry SET canonical_bytes = " + forged +
                    ", entry_hash = sha256(prev_hash || sha256(" + forged + "))" + chain.where(2));
  CHECK(chain.verified().at("divergent_seq") == 3);
  CHECK(chain.quarantined() == "3 broken_link");
}

TEST_CASE("bytes that are not canonical are found where they stand, whatever their hash",
          "[audit][pg]") {
  const Chain chain(3);
  database().tamper(
      "UPDATE audit.audit_log_entry SET canonical_bytes = canonical_bytes || ' ', "
      "entry_hash = sha256(prev_hash || sha256(canonical_bytes || ' '))" +
      chain.where(2));
  CHECK(chain.verified().at("divergent_seq") == 2);
  CHECK(chain.quarantined() == "2 content_differs");
}

TEST_CASE("a removed row, a cut tail and a removed head are found", "[audit][pg]") {
  const Chain gap(3);
  database().tamper("DELETE FROM audit.audit_log_entry" + gap.where(2));
  CHECK(gap.verified().at("divergent_seq") == 2);
  CHECK_FALSE(gap.verified().contains("expected_hash"));

  const Chain cut(3);
  database().tamper("DELETE FROM audit.audit_log_entry" + cut.where(3));
  CHECK(cut.verified().at("divergent_seq") == 3);

  const Chain headless(3);
  database().tamper("DELETE FROM audit.audit_log_chain_head WHERE domain_id = '" +
                    headless.domain.text() + "'");
  CHECK(headless.verified().at("ok") == false);
  CHECK(headless.quarantined() == "3 head_mismatch");
}

TEST_CASE("readiness fails when a chain does not end where its head says", "[audit][pg]") {
  ChainDatabase own;
  const Uuid domain = Uuid::v7(1);
  const auto probe = [&]() -> host::health::State {
    LiveAudit live(own);  // a probe looks at its first call; a new process has had none
    for (const auto& check : live.health().checks) {
      if (check.name == "audit.reconcile") {
        return check.outcome.state;
      }
    }
    FAIL("there is no such probe");
    return host::health::State::kDown;
  };
  {
    const LiveAudit live(own);
    REQUIRE(live.stage({change_in(domain), change_in(domain)}).ok());
  }
  CHECK(probe() == host::health::State::kOk);
  const std::string last = " WHERE domain_id = '" + domain.text() + "' AND seq = 2";
  const auto holds = [&](const std::string& damage, const std::string& repair) {
    INFO(damage);
    own.tamper("CREATE TABLE kept AS SELECT * FROM audit.audit_log_entry" + last + "; " + damage);
    CHECK(probe() == host::health::State::kDown);
    own.tamper(repair + "; DROP TABLE kept");
    CHECK(probe() == host::health::State::kOk);
  };
  holds("DELETE FROM audit.audit_log_entry" + last,
        "INSERT INTO audit.audit_log_entry SELECT * FROM kept");
  holds("UPDATE audit.audit_log_entry SET canonical_bytes = ''" + last,
        "UPDATE audit.audit_log_entry SET canonical_bytes = (SELECT canonical_bytes FROM kept)" +
            last);
  holds("DELETE FROM audit.audit_log_chain_head",
        "INSERT INTO audit.audit_log_chain_head SELECT domain_id, seq, entry_hash FROM kept");
}

}  // namespace
}  // namespace plexsphere::audit
