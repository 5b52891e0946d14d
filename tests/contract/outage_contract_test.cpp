// What an operation answers when it cannot do its work: 503 without the database, 501 where its
// context is switched off. Uncertainty is never 401 or 403: an agent would throw its key away.
#include <catch2/catch.hpp>

#include <fstream>
#include <set>

#include "contract/made_up.hpp"
#include "contract/site.hpp"
#include "support/wait_until.hpp"

using namespace plexsphere;
using contract::Client;
using contract::kNobody;
using contract::Operation;
using contract::Site;
using contract::target_of;
using nlohmann::json;

namespace {

std::set<std::string> operations_in_scope() {
  std::ifstream in(PLEXSPHERE_CONTRACT_SCOPE "/scope.txt");
  std::set<std::string> out;
  for (std::string line; std::getline(in, line);) {
    if (!line.empty() && line[0] != '#') {
      out.insert(line.substr(0, line.find(' ')));
    }
  }
  return out;
}

// Bodies good enough to get as far as the database; `self` is the operator's identity_ref.
std::string body_of(const Operation& operation, const json& registration, const std::string& self) {
  if (operation.id == "PostRegister") {
    return registration.dump();
  }
  if (operation.id == "PostAuthServiceToken") {
    return json{{"grant_type", "client_credentials"},
                {"client_id", kNobody},
                {"client_secret", "pss_dev_" + std::string(52, 'a')}}
        .dump();
  }
  if (operation.id == "PostAuthTokens" || operation.id == "PostAdminTokens") {
    return json{{"identity_ref", self}, {"env_prefix", "dev"}}.dump();
  }
  return operation.object.contains("requestBody") ? "{}" : "";
}

bool is_for_nodes(const Operation& operation) {
  return operation.object.value("security", json::array()).dump().find("nsk") != std::string::npos;
}

}  // namespace

TEST_CASE("without the database every operation answers 503", "[contract]") {
  Site site(e2e::Deployment::Options{.durable = true});
  const auto node = site.enrol();
  const auto op = site.deployment().op();
  op.create_resource(site.project(), "late");
  const json registration{{"project_id", site.project()},
                          {"resource_handle", "late"},
                          {"bootstrap_token", op.issue_token(site.project())},
                          {"nonce", sim::make_nonce()},
                          {"public_key", sim::make_mesh_key().public_key}};
  const std::string self =
      "user:" + site.op().call("GET", "/v1/auth/whoami").body.at("subject").get<std::string>();
  site.deployment().postgres().kill9();
  for (const std::string& id : operations_in_scope()) {
    const Operation* operation = site.document().find(id);
    if (operation == nullptr ||
        id == "DeleteAuthSession") {  // contract_coverage tells of the first
      continue;
    }
    INFO(id);
    const Client client = is_for_nodes(*operation) ? site.as(node) : site.op();
    const auto answer = client.send(operation->method, target_of(*operation, node.id()),
                                    body_of(*operation, registration, self));
    CHECK(answer.status == 503);
  }
}

TEST_CASE("without the database a Node that is known is told that its state cannot be read",
          "[contract]") {
  Site site(e2e::Deployment::Options{.durable = true});
  const auto node = site.enrol();
  const auto agent = site.as(node);
  const std::string path = "/v1/nodes/" + node.id() + "/state";
  // A key is known for most of a second: if the database takes longer to go, once more.
  std::string outcome;
  for (int i = 0; i < 5 && outcome != "503 datastore_unavailable"; ++i) {
    site.deployment().postgres().start();
    REQUIRE(test_support::wait_until(std::chrono::seconds(20),
                                     [&] { return agent.call("GET", path).status == 200; }));
    site.deployment().postgres().kill9();
    outcome = agent.call("GET", path).outcome();
  }
  CHECK(outcome == "503 datastore_unavailable");
}

TEST_CASE("an operation whose context is switched off answers 501 with its own code",
          "[contract]") {
  // The document of a whole product: a context that is off is not described by the one it is off
  // in.
  Site& whole = Site::shared();
  e2e::Deployment part({.disabled = {"mesh", "identity"}});
  const std::string url =
      part.start_core("[plugins]\nessential = [\"tenancy\", \"audit\"]\n").url();
  const Client client(contract::published_by(whole.url()), url, "");
  for (const std::string& id : operations_in_scope()) {
    const Operation* operation = whole.document().find(id);
    if (operation != nullptr && operation->object["responses"].contains("501") &&
        !operation->path.starts_with("/v1/projects/{project_id}/resources")) {
      INFO(id);
      const auto answer = client.send(operation->method, target_of(*operation, kNobody), "");
      CHECK(answer.status == 501);
      CHECK_THAT(answer.code, Catch::EndsWith("not_provisioned"));
    }
  }
}
