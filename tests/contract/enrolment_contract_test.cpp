// Bootstrap tokens and registration: every status and code of the contract but 500.
#include <algorithm>
#include <catch2/catch.hpp>
#include <future>

#include "contract/held_lock.hpp"
#include "contract/site.hpp"
#include "contract/specification.hpp"
#include "support/wait_until.hpp"

using namespace plexsphere;
using contract::hold;
using contract::kNobody;
using contract::Site;
using contract::with;
using contract::without;
using nlohmann::json;

namespace {

const json kIssue{{"kind", "node"}, {"env_prefix", "dev"}, {"ttl_seconds", 300}};
const std::string kTokens = "/bootstrap-tokens";

std::string nowhere(const std::string& tail) {
  return std::string("/v1/projects/") + kNobody + tail;
}

// A registration in the Project that would succeed: new Resource, token, key and nonce.
json fresh_request(Site& site, const std::string& project, const std::string& kind = "vm") {
  const auto op = site.deployment().op();
  const std::string handle = site.fresh_name();
  op.create_resource(project, handle, kind);
  return {{"project_id", project},
          {"resource_handle", handle},
          {"bootstrap_token", op.issue_token(project)},
          {"nonce", sim::make_nonce()},
          {"public_key", sim::make_mesh_key().public_key}};
}
json fresh_request(Site& site) {
  return fresh_request(site, site.project());
}

std::string token_id(Site& site, const json& issued) {
  return site.in_project(kTokens + "/" + issued.at("token_id").get<std::string>());
}

}  // namespace

TEST_CASE("IssueBootstrapToken", "[contract][enrolment]") {
  Site& site = Site::shared();
  const auto op = site.op();
  const std::string path = site.in_project(kTokens);
  hold({
      {"401 unauthenticated", site.anybody(), "POST", path, kIssue.dump()},
      {"403 permission_denied", site.stranger(), "POST", path, kIssue.dump()},
      {"403 permission_denied", site.stranger(), "POST", nowhere(kTokens), kIssue.dump()},
      {"404 project_not_found", op, "POST", nowhere(kTokens), kIssue.dump()},
      {"400 invalid_id", op, "POST", "/v1/projects/x" + kTokens, kIssue.dump()},
      {"413 request_body_too_large", op, "POST", path, with(kIssue, "x", std::string(70'000, 'x'))},
      {"400 invalid_body", op, "POST", path, "{"},
      {"400 invalid_body", op, "POST", path, without(kIssue, "kind")},
      {"400 invalid_body", op, "POST", path, with(kIssue, "kind", "vm")},
      {"400 invalid_body", op, "POST", path, with(kIssue, "env_prefix", "")},
      {"400 invalid_body", op, "POST", path, with(kIssue, "env_prefix", "Dev")},
      {"400 invalid_body", op, "POST", path, with(kIssue, "env_prefix", std::string(33, 'a'))},
      {"400 invalid_body", op, "POST", path, with(kIssue, "ttl_seconds", 299)},
      {"400 invalid_body", op, "POST", path, with(kIssue, "ttl_seconds", 86401)},
      {"201", op, "POST", path, with(kIssue, "ttl_seconds", 86400)},
      {"201", op, "POST", path, with(kIssue, "kind", "bridge")},
      {"201", op, "POST", path, with(kIssue, "env_prefix", std::string(32, 'a'))},
  });
  const auto made = op.call("POST", path, kIssue);
  REQUIRE(made.outcome() == "201");
  CHECK(made.headers.at("Location") == token_id(site, made.body));
  CHECK_THAT(made.body.at("token"), Catch::StartsWith("psb_dev_"));
}

TEST_CASE("ListBootstrapTokens", "[contract][enrolment]") {
  Site& site = Site::shared();
  const auto op = site.op();
  const std::string path = site.in_project(kTokens);
  for (int i = 0; i < 2; ++i) {
    REQUIRE(op.call("POST", path, kIssue).status == 201);
  }
  const std::string cursor = op.call("GET", path + "?limit=1").body.at("next_cursor");
  hold({
      {"401 unauthenticated", site.anybody(), "GET", path},
      {"403 permission_denied", site.stranger(), "GET", path},
      {"404 project_not_found", op, "GET", nowhere(kTokens)},
      {"400 invalid_id", op, "GET", "/v1/projects/x" + kTokens},
      {"400 invalid_limit", op, "GET", path + "?limit=0"},
      {"400 invalid_limit", op, "GET", path + "?limit=201"},
      {"400 invalid_cursor", op, "GET", path + "?cursor=forged"},
      {"200", op, "GET", path + "?limit=200"},
      {"200", op, "GET", path + "?limit=1&cursor=" + cursor},
  });
  CHECK_THAT(op.call("GET", path).body.dump(), !Catch::Contains("psb_"));
}

TEST_CASE("GetBootstrapTokenMetadata, RevokeBootstrapToken", "[contract][enrolment]") {
  Site& site = Site::shared();
  const auto op = site.op();
  const auto made = op.call("POST", site.in_project(kTokens), kIssue);
  const std::string path = token_id(site, made.body);
  const std::string none = site.in_project(kTokens + "/" + kNobody);
  hold({
      {"401 unauthenticated", site.anybody(), "GET", path},
      {"403 permission_denied", site.stranger(), "GET", path},
      {"400 invalid_id", op, "GET", site.in_project(kTokens + "/x")},
      {"400 invalid_id", op, "DELETE", site.in_project(kTokens + "/x")},
      {"404 not_found", op, "GET", none},
      {"404 not_found", op, "GET", nowhere(kTokens + "/" + kNobody)},
      {"200", op, "GET", path},
      {"401 unauthenticated", site.anybody(), "DELETE", path},
      {"403 permission_denied", site.stranger(), "DELETE", path},
      {"404 not_found", op, "DELETE", none},
      {"204", op, "DELETE", path},
      {"409 token_revoked", op, "DELETE", path},
      {"200", op, "GET", path},
  });
  CHECK(op.call("GET", path).body.contains("revoked_at"));
  CHECK_FALSE(op.call("GET", path).body.contains("consumed_at"));

  json request = fresh_request(site);
  const auto used = op.call("POST", site.in_project(kTokens), kIssue);
  request["bootstrap_token"] = used.body.at("token");
  REQUIRE(site.anybody().call("POST", "/v1/register", request).status == 201);
  CHECK(op.call("DELETE", token_id(site, used.body)).outcome() == "409 token_consumed");
  CHECK(op.call("GET", token_id(site, used.body)).body.contains("consumed_at"));
}

TEST_CASE(
    "GetBootstrapTokenUsage: operators see which Node used a token, strangers not even a token",
    "[contract][enrolment]") {
  Site& site = Site::shared();
  const auto op = site.op();
  const auto path_of = [](const json& issued) {
    return "/v1/admin/bootstrap-tokens/" + issued.at("token_id").get<std::string>();
  };
  const auto issued = op.call("POST", site.in_project(kTokens), kIssue).body;
  const std::string path = path_of(issued);
  const auto [reader_id, reader_token] = site.make_user("reader");
  site.grant("project", site.project(), "member", reader_id);
  const auto reader = op.as(reader_token);
  const std::string none = std::string("/v1/admin/bootstrap-tokens/") + kNobody;
  hold({
      {"401 unauthenticated", site.anybody(), "GET", path},
      {"404 not_found", site.stranger(), "GET", path},
      {"404 not_found", site.stranger(), "GET", none},
      {"404 not_found", op, "GET", none},
      {"400 invalid_token_id", op, "GET", "/v1/admin/bootstrap-tokens/x"},
      {"200", reader, "GET", path},
  });
  const json live = op.call("GET", path).body;
  CHECK(live.at("state") == "live");
  CHECK_FALSE(live.contains("consumed_by_node_id"));

  json request = fresh_request(site);
  request["bootstrap_token"] = issued.at("token");
  const auto node = site.anybody().call("POST", "/v1/register", request);
  REQUIRE(node.status == 201);
  const json used = reader.call("GET", path).body;
  CHECK(used.at("state") == "consumed");
  CHECK(used.at("consumed_by_node_id") == node.body.at("node_id"));
  CHECK(used.contains("consumed_at"));
  CHECK_THAT(used.dump(), !Catch::Contains("psb_"));

  const auto other = op.call("POST", site.in_project(kTokens), kIssue).body;
  REQUIRE(op.call("DELETE", token_id(site, other)).status == 204);
  CHECK(op.call("GET", path_of(other)).body.at("state") == "revoked");
  CHECK(site.count("audit.audit_log_entry WHERE relation = 'read' AND object_type = "
                   "'bootstrap_token' AND object_id = '" +
                   issued.at("token_id").get<std::string>() + "'") == 4);
}

TEST_CASE("PostRegister: refusals in the contract's order, and none touches the token",
          "[contract][enrolment]") {
  Site& site = Site::shared();
  const auto agent = site.anybody();
  const json good = fresh_request(site);
  const std::string path = "/v1/register";
  const std::string zero_key = std::string(43, 'A') + "=";
  std::string forged = good["bootstrap_token"];
  forged.back() = forged.back() == 'a' ? 'q' : 'a';
  const auto op = site.deployment().op();
  op.create_resource(site.project(), "the-bridge", "bridge");
  json all_wrong = good;
  all_wrong.update({{"public_key", zero_key}, {"bootstrap_token", forged}, {"nonce", "n"}});
  hold({
      {"400 invalid_body", agent, "POST", path, "{"},
      {"413 request_body_too_large", agent, "POST", path, with(good, "x", std::string(9000, 'x'))},
      {"422 invariant_violation", agent, "POST", path, without(good, "nonce")},
      {"422 invariant_violation", agent, "POST", path, with(good, "nonce", "")},
      {"422 invariant_violation", agent, "POST", path, with(good, "project_id", "x")},
      {"422 invariant_violation", agent, "POST", path, with(good, "resource_handle", 1)},
      {"400 public_key_invalid", agent, "POST", path, with(good, "public_key", zero_key)},
      {"400 public_key_invalid", agent, "POST", path, with(good, "public_key", "short")},
      {"400 public_key_invalid", agent, "POST", path, all_wrong.dump()},
      {"422 bootstrap_token_invalid", agent, "POST", path, with(good, "bootstrap_token", "x")},
      {"403 token_invalid", agent, "POST", path, with(good, "bootstrap_token", forged)},
      {"403 project_mismatch", agent, "POST", path,
       with(good, "project_id", op.create_project(site.domain(), "other"))},
      {"404 resource_not_found", agent, "POST", path, with(good, "resource_handle", "nothing")},
      {"404 resource_not_found", agent, "POST", path, with(good, "requested_resource_id", kNobody)},
      {"403 kind_mismatch", agent, "POST", path, with(good, "resource_handle", "the-bridge")},
      {"201", agent, "POST", path, good.dump()},
      {"403 token_consumed", agent, "POST", path, with(good, "nonce", "another")},
  });
  json reused = fresh_request(site);
  reused["nonce"] = good["nonce"];
  CHECK(agent.call("POST", path, reused).outcome() == "403 nonce_collision");

  json revoked = fresh_request(site);
  const auto token = site.op().call("POST", site.in_project(kTokens), kIssue);
  revoked["bootstrap_token"] = token.body.at("token");
  REQUIRE(site.op().call("DELETE", token_id(site, token.body)).status == 204);
  CHECK(agent.call("POST", path, revoked).outcome() == "403 token_revoked");

  const json expired = fresh_request(site);
  site.sql(
      "UPDATE identity.bootstrap_token SET issued_at = now() - interval '1 hour', expires_at = "
      "now() - interval '1 second' WHERE consumed_at IS NULL AND revoked_at IS NULL");
  CHECK(agent.call("POST", path, expired).outcome() == "403 token_expired");
}

TEST_CASE("PostRegister: what is out for now is 503, and the token stays good",
          "[contract][enrolment]") {
  Site& site = Site::shared();
  const auto agent = site.anybody();
  const auto op = site.deployment().op();
  const std::string path = "/v1/register";

  const std::string small = op.create_domain("small", "10.20.0.0/30");
  const std::string lab = op.create_project(small, "lab");
  std::string last;
  for (int i = 0; i < 4 && last.empty(); ++i) {
    const json request = fresh_request(site, lab);
    const auto answer = agent.call("POST", path, request);
    if (answer.status != 201) {
      last = answer.outcome();
      CHECK(agent.call("POST", path, request).outcome() == "503 pool_exhausted");
    }
  }
  CHECK(last == "503 pool_exhausted");

  const json ranged{{"domain_id", site.domain()},
                    {"name", "Ranged"},
                    {"slug", "ranged"},
                    {"sub_range_cidr", "10.7.9.0/30"}};
  const std::string project = site.op().call("POST", "/v1/projects", ranged).body.at("id");
  std::string outcome;
  for (int i = 0; i < 5 && outcome != "503 subrange_exhausted"; ++i) {
    outcome = agent.call("POST", path, fresh_request(site, project)).outcome();
  }
  CHECK(outcome == "503 subrange_exhausted");

  const json request = fresh_request(site);
  {
    const contract::HeldLock held(site,
                                  "hashtextextended('plexsphere.ipam." + site.domain() + "', 0)");
    CHECK(agent.call("POST", path, request).outcome() == "503 allocator_contention");
  }
  const json used = fresh_request(site);
  REQUIRE(agent.call("POST", path, used).status == 201);
  json reused = fresh_request(site);
  reused["nonce"] = used["nonce"];
  {  // a signing key that this replica does not know
    const std::string scope = "domain:" + site.domain();
    site.sql("UPDATE signing_client.key_set SET scope = 'domain:hidden' WHERE scope = '" + scope +
             "'");
    const std::string second = site.deployment().start_core().url();
    const contract::Client there(contract::published_by(second), second, "");
    CHECK(there.call("POST", path, request).outcome() == "503 signing_unavailable");
    // Whether the token may be consumed comes first.
    CHECK(there.call("POST", path, reused).outcome() == "403 nonce_collision");
    site.sql("UPDATE signing_client.key_set SET scope = '" + scope +
             "' WHERE scope = 'domain:hidden'");
  }
  CHECK(agent.call("POST", path, request).outcome() == "201");
}

TEST_CASE("PostRegister: a flood is turned away before it costs anything",
          "[contract][enrolment]") {
  Site& site = Site::shared();
  const auto replica = [&](const std::string& settings) {
    return contract::Client(contract::published_by(site.url()),
                            site.deployment().start_core(settings).url(), "");
  };
  const json first = fresh_request(site);
  const json second = fresh_request(site);
  {
    const auto agent = replica("[http]\nunauthenticated_rate = 1\nunauthenticated_burst = 1\n");
    std::string outcome;
    for (int i = 0; i < 10 && outcome != "429 rate_limited"; ++i) {
      outcome = agent.send("POST", "/v1/register", "{").outcome();
    }
    CHECK(outcome == "429 rate_limited");
  }
  const auto agent = replica(
      "[context.identity]\nregistration_capacity = 1\n[context.mesh]\naddress_lock_wait = "
      "\"8s\"\n");
  std::vector<std::future<std::string>> asked;
  const auto ready = [](const std::future<std::string>& one) {
    return one.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
  };
  {
    const contract::HeldLock held(site,
                                  "hashtextextended('plexsphere.ipam." + site.domain() + "', 0)");
    for (const json& request : {first, second}) {
      asked.push_back(std::async(std::launch::async, [&agent, request] {
        return agent.call("POST", "/v1/register", request).outcome();
      }));
    }
    CHECK(test_support::wait_until(std::chrono::seconds(20),
                                   [&] { return std::ranges::any_of(asked, ready); }));
  }
  std::vector<std::string> outcomes{asked[0].get(), asked[1].get()};
  std::ranges::sort(outcomes);
  CHECK(outcomes == std::vector<std::string>{"201", "503 registration_overloaded"});
  for (const json& request : {first, second}) {  // a replay, and a token that nothing touched
    CHECK(agent.call("POST", "/v1/register", request).outcome() == "201");
  }
}
