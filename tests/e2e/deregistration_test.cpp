// A Node leaves: by its own key or by an operator, wholly or not at all.
#include <catch2/catch.hpp>
#include <thread>

#include "e2e/enrolment_site.hpp"
#include "plexsphere/sdk/encoding.hpp"
#include "plexsphere/sdk/uuid.hpp"
#include "support/process.hpp"

using namespace plexsphere;
using e2e::Answer;
using e2e::EnrolmentSite;
using nlohmann::json;

namespace {

constexpr auto kNobody = "01990000-0000-7000-8000-000000000001";

struct Leaver {
  std::string id;
  std::string bearer;
  json request;  // that enrolled it
};

Leaver enrol(EnrolmentSite& site, const std::string& handle) {
  const json request = site.fresh_request(handle);
  const Answer answer = site.register_node(request);
  REQUIRE(answer.status == 201);
  const std::string id = answer.body.at("node_id");
  const std::string key = *sdk::base64_decode(answer.body.at("nsk").get<std::string>());
  return {id,
          "nsk_plexd_" + sdk::base64url_encode(std::string(sdk::Uuid::parse(id)->bytes()) + key),
          request};
}

std::string own_path(const std::string& id) {
  return "/v1/nodes/" + id + "/deregister";
}
std::string admin_path(const std::string& id) {
  return "/v1/admin/nodes/" + id + "/deregister";
}

// "401 nsk_revoked", or the status and the whole body where there is no code.
std::string post(const std::string& url, const std::string& bearer, const std::string& path,
                 const std::string& body = {}) {
  const auto answer = sim::Api(url, bearer).raw("POST", path, body);
  const auto parsed = json::parse(answer.body, nullptr, false);
  return std::to_string(answer.status) + " " +
         (parsed.is_object() && parsed.contains("code") ? parsed.at("code").get<std::string>()
                                                        : answer.body);
}

// A user with a token and, when `relation` is given, that relation to the Project.
std::string user_token(EnrolmentSite& site, const std::string& name,
                       const std::string& relation = {}) {
  const auto made = test_support::run(e2e::Deployment::binaries() / "plexsphere-bootstrap",
                                      {"operator", "create", "--name", name, "--config",
                                       site.deployment().core_configuration().string()});
  REQUIRE(made.code == 0);
  const std::string id =
      site.sql("SELECT id FROM identity.user_account WHERE display_name = '" + name + "'");
  site.sql("DELETE FROM authz.relation_tuples WHERE subject_id = '" + id + "'");
  if (!relation.empty()) {
    site.sql(
        "INSERT INTO authz.relation_tuples (object_type, object_id, relation, subject_type, "
        "subject_id) VALUES ('project', '" +
        site.project() + "', '" + relation + "', 'user', '" + id + "')");
  }
  const auto at = made.out.find("psk_");
  return made.out.substr(at, made.out.find('\n', at) - at);
}

// What is left of a Node: "<state> keys=… events=… tuples=… peers=… rows=…".
std::string left_of(EnrolmentSite& site, const std::string& id) {
  const auto number = [&](const std::string& from_where) {
    return std::to_string(site.count(from_where));
  };
  return site.sql(
             "SELECT state || CASE WHEN deregistered_at IS NULL THEN '' ELSE '!' END FROM "
             "identity.node WHERE id = '" +
             id + "'") +
         " keys=" +
         number("identity.node_secret_key WHERE revoked_at IS NULL AND node_id = '" + id + "'") +
         " events=" +
         number(
             "platform.outbox WHERE event_type = 'tenancy.NodeDeregistered' AND aggregate_id = '" +
             id + "'") +
         " tuples=" +
         number("authz.relation_tuples WHERE object_type = 'node' AND object_id = '" + id + "'") +
         " peers=" + number("mesh.peer WHERE deregistered_at IS NULL AND node_id = '" + id + "'") +
         " rows=" +
         number("audit.audit_log_entry WHERE relation = 'node.deregister' AND object_id = '" + id +
                "' AND convert_from(canonical_bytes, 'UTF8') NOT LIKE '%denied%'");
}

constexpr auto kAlive = "ready keys=1 events=0 tuples=1 peers=1 rows=0";
constexpr auto kGone = "deregistered! keys=0 events=1 tuples=0 peers=0 rows=1";

}  // namespace

TEST_CASE("a Node leaves with its own key, once, and everything of it that grants goes", "[e2e]") {
  EnrolmentSite site;
  const Leaver node = enrol(site, "vm-1");
  const Leaver other = enrol(site, "vm-2");
  const std::string second = site.deployment().start_core().url();
  const std::string path = own_path(node.id);

  CHECK(post(site.url(), "", path) == "401 unauthorized");
  CHECK(post(site.url(), "nsk_plexd_" + std::string(64, 'A'), path) == "401 nsk_invalid");
  CHECK(post(site.url(), site.deployment().operator_token(), path) == "401 unauthorized");
  CHECK(post(site.url(), other.bearer, path) == "403 node_id_mismatch");
  CHECK(post(site.url(), node.bearer, own_path("x")) == "400 invalid_node_id");
  CHECK(post(site.url(), node.bearer, path, "{\"a\":1}") == "400 malformed_deregister_request");
  CHECK(post(site.url(), node.bearer, path, "[") == "400 malformed_deregister_request");
  CHECK(post(site.url(), node.bearer, path, std::string(5000, ' ')) ==
        "413 request_body_too_large");
  // Both replicas have just seen the key and remember it for most of a second.
  CHECK(sim::Api(second, node.bearer).raw("GET", "/v1/nodes/" + node.id + "/state").status == 200);
  CHECK(left_of(site, node.id) == kAlive);

  CHECK(post(site.url(), node.bearer, path) == "200 {}");
  CHECK(left_of(site, node.id) == kGone);
  CHECK(post(site.url(), node.bearer, path) == "401 nsk_revoked");
  CHECK(post(second, node.bearer, path, "{}") == "401 nsk_revoked");
  CHECK(left_of(site, node.id) == kGone);

  const json listed = site.op().api().get("/v1/nodes");
  REQUIRE(listed.at("items").size() == 1);
  CHECK(listed.at("items")[0].at("id") == other.id);
  CHECK(site.register_node(node.request).code == "token_consumed");
  CHECK(left_of(site, other.id) == kAlive);
  CHECK(site.op().verify_chain(site.domain()).at("ok") == true);
}

TEST_CASE("an operator who may operate a Node ends it; others are refused before they learn of it",
          "[e2e]") {
  EnrolmentSite site;
  const Leaver node = enrol(site, "vm-1");
  const std::string root = site.deployment().operator_token();
  const std::string stranger = user_token(site, "stranger");
  const std::string reader = user_token(site, "reader", "member");
  const std::string operates = user_token(site, "operates", "operator");
  const std::string path = admin_path(node.id);

  CHECK(post(site.url(), "", path) == "401 unauthenticated");
  CHECK(post(site.url(), node.bearer, path) == "401 unauthenticated");
  for (const std::string& token : {stranger, reader}) {
    CHECK(post(site.url(), token, path) == "403 permission_denied");
    CHECK(post(site.url(), token, admin_path(kNobody)) == "403 permission_denied");
  }
  CHECK(post(site.url(), root, admin_path(kNobody)) == "404 node_not_found");
  CHECK(post(site.url(), root, admin_path("x")) == "400 invalid_node_id");
  CHECK(post(site.url(), root, path, "{\"a\":1}") == "400 malformed_deregister_request");
  CHECK(left_of(site, node.id) == kAlive);

  CHECK(post(site.url(), operates, path) == "200 {}");
  CHECK(left_of(site, node.id) == kGone);
  CHECK(post(site.url(), root, path) == "200 {}");
  CHECK(left_of(site, node.id) == kGone);
  CHECK(post(site.url(), node.bearer, own_path(node.id)) == "401 nsk_revoked");
}

TEST_CASE("a deregistration that fails anywhere has not happened", "[e2e]") {
  EnrolmentSite site;
  const Leaver node = enrol(site, "vm-1");
  site.sql(
      "CREATE FUNCTION public.broken() RETURNS trigger LANGUAGE plpgsql AS "
      "$$ BEGIN RAISE EXCEPTION 'broken on purpose'; END $$");
  const std::pair<const char*, const char*> steps[] = {
      {"identity.node_secret_key", "UPDATE"}, {"identity.node", "UPDATE"},
      {"authz.relation_tuples", "DELETE"},    {"mesh.peer", "UPDATE"},
      {"platform.outbox", "INSERT"},          {"audit.audit_log_entry", "INSERT"}};
  for (const auto& [table, change] : steps) {
    INFO("broken: " << change << " " << table);
    site.sql(std::string("CREATE TRIGGER broken BEFORE ") + change + " ON " + table +
             " FOR EACH ROW EXECUTE FUNCTION public.broken()");
    CHECK(post(site.url(), site.deployment().operator_token(), admin_path(node.id))
              .starts_with("50"));
    site.sql(std::string("DROP TRIGGER broken ON ") + table);
    CHECK(left_of(site, node.id) == kAlive);
  }
  CHECK(post(site.url(), node.bearer, own_path(node.id)) == "200 {}");
  CHECK(left_of(site, node.id) == kGone);
}

TEST_CASE("a replay and a deregistration at the same time leave no live key", "[e2e]") {
  EnrolmentSite site;
  for (int round = 0; round < 8; ++round) {
    const Leaver node = enrol(site, "vm-" + std::to_string(round));
    Answer replayed;
    std::thread agent([&] { replayed = site.register_node(node.request); });
    CHECK(post(site.url(), site.deployment().operator_token(), admin_path(node.id)) == "200 {}");
    agent.join();
    CHECK((replayed.status == 201 || replayed.code == "token_consumed"));
    CHECK(left_of(site, node.id) == kGone);
  }
}
