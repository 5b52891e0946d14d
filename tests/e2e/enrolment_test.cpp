// Every step of a registration fails in turn, and each time the token is as good as before.
#include <catch2/catch.hpp>

#include "e2e/enrolment_site.hpp"
#include "plexsphere/sdk/encoding.hpp"
#include "plexsphere/sdk/uuid.hpp"
#include "support/wait_until.hpp"

using namespace plexsphere;
using e2e::Answer;
using e2e::EnrolmentSite;
using nlohmann::json;

namespace {

// Makes every insert into a table fail while it lives, as a full disk or a broken row would.
class BrokenTable {
 public:
  BrokenTable(EnrolmentSite& site, std::string table) : site_(site), table_(std::move(table)) {
    site_.sql(
        "CREATE OR REPLACE FUNCTION public.broken() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'broken on purpose'; END $$; "
        "CREATE TRIGGER broken BEFORE INSERT ON " +
        table_ + " FOR EACH ROW EXECUTE FUNCTION public.broken()");
  }
  ~BrokenTable() {
    try {
      site_.sql("DROP TRIGGER broken ON " + table_);
    } catch (const std::exception&) {
      // The deployment goes with the test; nothing is left to repair.
    }
  }
  BrokenTable(const BrokenTable&) = delete;
  BrokenTable& operator=(const BrokenTable&) = delete;

 private:
  EnrolmentSite& site_;
  std::string table_;
};

// Another session holds the Domain's address pool while this lives.
class HeldPool {
 public:
  explicit HeldPool(EnrolmentSite& site)
      : site_(site),
        holder_("/usr/bin/psql",
                {"-X", site.deployment().admin_dsn() + " application_name=holder", "-c",
                 "SELECT pg_advisory_lock(hashtextextended('plexsphere.ipam." + site.domain() +
                     "', 0))",
                 "-c", "SELECT pg_sleep(600)"}) {
    const bool locked = test_support::wait_until(std::chrono::seconds(20), [&] {
      return site_.count(
                 "pg_stat_activity WHERE application_name = 'holder' AND query LIKE "
                 "'%pg_sleep(600)' AND state = 'active'") == 1;
    });
    REQUIRE(locked);
  }
  ~HeldPool() {
    try {
      site_.sql(
          "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity "
          "WHERE application_name = 'holder'");
    } catch (const std::exception&) {
      // The deployment goes with the test.
    }
  }
  HeldPool(const HeldPool&) = delete;
  HeldPool& operator=(const HeldPool&) = delete;

 private:
  EnrolmentSite& site_;
  test_support::Process holder_;
};

struct Left {
  int consumed;
  int nodes;
  int keys;
  int addresses;
  int peers;
  int events;

  bool operator==(const Left&) const = default;
};

Left left(EnrolmentSite& site) {
  return {site.consumed_tokens(),
          site.count("identity.node"),
          site.count("identity.node_secret_key"),
          site.count("mesh.address WHERE released_at IS NULL"),
          site.count("mesh.peer"),
          site.count("platform.outbox WHERE event_type = 'tenancy.NodeRegistered'")};
}

}  // namespace

TEST_CASE("a fault at any step of the transaction leaves nothing behind and the token usable",
          "[e2e]") {
  EnrolmentSite site;
  const json request = site.fresh_request("vm-1");
  const Left before = left(site);

  for (const char* table :
       {"platform.wrap_key", "mesh.address", "identity.node", "identity.node_secret_key",
        "authz.relation_tuples", "mesh.peer", "platform.outbox", "audit.audit_log_entry"}) {
    INFO("broken: " << table);
    {
      const BrokenTable broken(site, table);
      const Answer answer = site.register_node(request);
      CHECK(answer.status >= 500);
      CHECK_FALSE(answer.body.contains("nsk"));
    }
    CHECK(left(site) == before);
  }

  const Answer enrolled = site.register_node(request);
  REQUIRE(enrolled.status == 201);
  CHECK(left(site) == Left{1, 1, 1, before.addresses + 1, 1, 1});
}

TEST_CASE("refusals before the transaction leave the token usable", "[e2e]") {
  EnrolmentSite site;
  const json request = site.fresh_request("vm-1");
  const auto refused = [&](const char* field, const json& value) {
    json changed = request;
    changed[field] = value;
    return site.register_node(changed);
  };

  {  // each with its own code, in the contract's order
    CHECK(EnrolmentSite::register_at(site.url(), "{").code == "invalid_body");
    const Answer invariant = refused("nonce", "");
    CHECK(invariant.status == 422);
    CHECK(invariant.code == "invariant_violation");

    const std::string zero_key = std::string(43, 'A') + "=";
    for (const std::string& key : {zero_key, std::string("short"), std::string(44, '!')}) {
      const Answer answer = refused("public_key", key);
      CHECK(answer.status == 400);
      CHECK(answer.code == "public_key_invalid");
    }
    json both = request;
    both["public_key"] = zero_key;
    both["bootstrap_token"] = "garbage";
    CHECK(site.register_node(both).code == "public_key_invalid");

    const Answer malformed = refused("bootstrap_token", "garbage");
    CHECK(malformed.status == 422);
    CHECK(malformed.code == "bootstrap_token_invalid");

    std::string forged = request["bootstrap_token"];
    forged.back() = forged.back() == 'a' ? 'q' : 'a';
    const Answer unknown = refused("bootstrap_token", forged);
    CHECK(unknown.status == 403);
    CHECK(unknown.code == "token_invalid");

    const Answer missing = refused("resource_handle", "no-such-resource");
    CHECK(missing.status == 404);
    CHECK(missing.code == "resource_not_found");
    CHECK(refused("requested_resource_id", "0197c0de-1111-7222-8333-444455556666").code ==
          "resource_not_found");

    const std::string other = site.op().create_project(site.domain(), "other");
    CHECK(refused("project_id", other).code == "project_mismatch");
    // A forged token learns nothing about Projects.
    json blind = request;
    blind["bootstrap_token"] = forged;
    blind["project_id"] = "0197c0de-1111-7222-8333-444455556666";
    CHECK(site.register_node(blind).code == "token_invalid");
  }

  {  // a token's kind must be that of the Resource
    site.op().create_resource(site.project(), "bridge-1", "bridge");
    const Answer answer = refused("resource_handle", "bridge-1");
    CHECK(answer.status == 403);
    CHECK(answer.code == "kind_mismatch");
    // Refused as of another Project above, and of another kind here.
    CHECK(site.op().count_audit_rows(site.domain(), "bootstrap_token.consume") == 2);
    CHECK(site.register_node(site.fresh_request("bridge-2", "bridge", "bridge")).status == 201);
  }

  {  // an unknown signing key is an outage
    site.sql("UPDATE signing_client.key_set SET scope = 'domain:hidden' WHERE scope = 'domain:" +
             site.domain() + "'");
    const std::string second = site.deployment().start_core().url();  // no key in its memory
    const Answer answer = EnrolmentSite::register_at(second, request.dump());
    CHECK(answer.status == 503);
    CHECK(answer.code == "signing_unavailable");
    site.sql("UPDATE signing_client.key_set SET scope = 'domain:" + site.domain() +
             "' WHERE scope = 'domain:hidden'");
  }

  {  // a fought-over address pool is an outage
    const HeldPool held(site);
    const Answer answer = site.register_node(request);
    CHECK(answer.status == 503);
    CHECK(answer.code == "allocator_contention");
  }

  CHECK(site.register_node(request).status == 201);
}

TEST_CASE("an exhausted pool is 503 and leaves the token usable", "[e2e]") {
  EnrolmentSite site("10.9.0.0/30");  // two addresses for hosts
  int enrolled = 0;
  json last;
  Answer answer;
  for (int i = 0; i < 5 && (i == 0 || answer.status == 201); ++i) {
    last = site.fresh_request("vm-" + std::to_string(i));
    answer = site.register_node(last);
    enrolled += answer.status == 201 ? 1 : 0;
  }
  CHECK(answer.status == 503);
  CHECK(answer.code == "pool_exhausted");
  CHECK(enrolled >= 1);
  CHECK(enrolled == site.consumed_tokens());
  CHECK(site.register_node(last).code == "pool_exhausted");  // not token_consumed
}

TEST_CASE("a token ends once: consumed, revoked or expired, and says which", "[e2e]") {
  EnrolmentSite site;
  const auto& api = site.op().api();

  {  // consumed
    const json request = site.fresh_request("vm-1");
    REQUIRE(site.register_node(request).status == 201);
    json again = request;
    again["nonce"] = "another";
    const Answer answer = site.register_node(again);
    CHECK(answer.status == 403);
    CHECK(answer.code == "token_consumed");

    json reused = site.fresh_request("vm-2");
    reused["nonce"] = request["nonce"];
    CHECK(site.register_node(reused).code == "nonce_collision");
    reused["nonce"] = "fresh";
    CHECK(site.register_node(reused).status == 201);
  }

  {  // revoked; revoking twice, or after consumption, is a conflict
    const json request = site.fresh_request("vm-3");
    const json listed = api.get(site.tokens_path()).at("items");
    REQUIRE(listed.size() == 3);  // oldest first: two are consumed
    CHECK(listed.dump().find("psb_") == std::string::npos);
    const auto path_of = [&](std::size_t i) {
      return site.tokens_path() + "/" + listed[i].at("id").get<std::string>();
    };
    CHECK(api.raw("DELETE", path_of(0)).status == 409);
    const std::string path = path_of(2);
    CHECK(api.raw("DELETE", path).status == 204);
    CHECK(api.raw("DELETE", path).status == 409);
    CHECK(api.get(path).contains("revoked_at"));
    CHECK(site.register_node(request).code == "token_revoked");
    CHECK(site.op().count_audit_rows(site.domain(), "bootstrap_token.revoke") == 1);
  }

  {  // expired
    const json request = site.fresh_request("vm-4");
    site.sql(
        "UPDATE identity.bootstrap_token SET issued_at = now() - interval '1 hour', "
        "expires_at = now() - interval '1 second'");
    CHECK(site.register_node(request).code == "token_expired");
    site.sql("INSERT INTO platform.job_wake VALUES ('identity.bootstrap-token-sweep', 1)");
    CHECK(test_support::wait_until(std::chrono::seconds(30), [&] {
      return site.op().count_audit_rows(site.domain(), "bootstrap_token.expire") == 1;
    }));
  }

  {  // issuing has its bounds and its 404
    const auto status = [&](const json& body) {
      return api.raw("POST", site.tokens_path(), body.dump()).status;
    };
    const json good{{"kind", "node"}, {"env_prefix", "dev"}, {"ttl_seconds", 300}};
    CHECK(status(good) == 201);
    for (const auto& [field, value] :
         std::vector<std::pair<const char*, json>>{{"kind", "vm"},
                                                   {"env_prefix", "DEV"},
                                                   {"env_prefix", ""},
                                                   {"ttl_seconds", 299},
                                                   {"ttl_seconds", 86401},
                                                   {"ttl_seconds", "300"}}) {
      json bad = good;
      bad[field] = value;
      CHECK(status(bad) == 400);
    }
    CHECK(api.raw("POST", "/v1/projects/0197c0de-1111-7222-8333-444455556666/bootstrap-tokens",
                  good.dump())
              .status == 404);
    CHECK(sim::Api(site.url(), "").raw("POST", site.tokens_path(), good.dump()).status == 401);
  }
}

TEST_CASE("a lost answer is told again: same Node, newer key, until a key was used", "[e2e]") {
  EnrolmentSite site;
  // The status and code that a Node's own key gets.
  const auto use = [&](const Answer& answer) {
    const std::string id = answer.body.at("node_id");
    const std::string key = *sdk::base64_decode(answer.body.at("nsk").get<std::string>());
    const std::string bearer =
        "nsk_plexd_" + sdk::base64url_encode(std::string(sdk::Uuid::parse(id)->bytes()) + key);
    const auto response = sim::Api(site.url(), bearer).raw("GET", "/v1/nodes/" + id + "/state");
    return std::pair(response.status, json::parse(response.body).value("code", ""));
  };

  {  // only the newest key is worth something, and its first use ends the replays
    const json request = site.fresh_request("used");
    const Answer first = site.register_node(request);
    const Answer again = site.register_node(request);
    REQUIRE(first.status == 201);
    REQUIRE(again.status == 201);
    CHECK(again.body.at("node_id") == first.body.at("node_id"));
    CHECK(again.body.at("mesh_ip") == first.body.at("mesh_ip"));
    CHECK(again.body.at("nsk") != first.body.at("nsk"));
    CHECK(site.count("identity.node") == 1);
    CHECK(use(first) == std::pair(401, std::string("nsk_revoked")));
    CHECK(use(again).first == 200);
    CHECK(site.register_node(request).code == "token_consumed");
    CHECK(site.op().count_audit_rows(site.domain(), "bootstrap_token.replay") == 1);
  }
  {  // another public key is no replay
    json request = site.fresh_request("other-key");
    REQUIRE(site.register_node(request).status == 201);
    request["public_key"] = sim::make_mesh_key().public_key;
    CHECK(site.register_node(request).code == "token_consumed");
  }
  {  // five times at most
    const json request = site.fresh_request("often");
    REQUIRE(site.register_node(request).status == 201);
    Answer last;
    for (int i = 0; i < 5; ++i) {
      last = site.register_node(request);
      REQUIRE(last.status == 201);
    }
    CHECK(site.register_node(request).code == "token_consumed");
    CHECK(use(last).first == 200);
  }
  {  // within five minutes only
    const json request = site.fresh_request("late");
    REQUIRE(site.register_node(request).status == 201);
    site.sql("UPDATE identity.node SET registered_at = now() - interval '5 minutes'");
    CHECK(site.register_node(request).code == "token_consumed");
  }
}
