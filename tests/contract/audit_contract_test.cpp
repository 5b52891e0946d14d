// The audit log's promise of coverage: no privileged operation passes without a row, whoever calls
// and whether it is allowed.
#include <catch2/catch.hpp>
#include <set>

#include "contract/made_up.hpp"
#include "contract/site.hpp"

using namespace plexsphere;
using contract::kNobody;
using contract::Operation;
using contract::Site;
using contract::target_of;
using nlohmann::json;
using namespace std::chrono_literals;

namespace {

// Operations that ask for a sign-in and for no permission: on the caller's own, for anybody else's
// is not found. What they change leaves a row; see contract_api_tokens.
const std::set<std::string> kOnOnesOwn{"GetAuthWhoami", "GetAuthTokens", "PostAuthTokens",
                                       "DeleteAuthTokenByID", "PostAuthTokenRotate"};

bool is_for_operators(const Operation& operation) {
  const json security = operation.object.value("security", json::array());
  return security.dump().find("bearer") != std::string::npos;
}

std::string body_of(const Operation& operation) {
  if (operation.id == "PostAdminTokens") {
    return json{{"identity_ref", std::string("user:") + kNobody}, {"env_prefix", "dev"}}.dump();
  }
  return operation.object.contains("requestBody") ? "{}" : "";
}

// Status and correlation id of the answer.
std::pair<int, std::string> ask(const Operation& operation, const std::string& base,
                                const std::string& bearer) {
  const auto answer = test_support::HttpClient(30s).request(
      operation.method, base + target_of(operation, kNobody),
      {{"Authorization", "Bearer " + bearer}, {"Content-Type", "application/json"}},
      body_of(operation));
  return {answer.status, answer.headers.at("X-Correlation-Id")};
}

}  // namespace

TEST_CASE("every privileged operation leaves a row, allowed or not", "[contract][audit]") {
  Site& site = Site::shared();
  const std::string stranger = site.make_user("stranger").second;
  std::set<std::string> silent;
  std::size_t asked = 0;
  for (const Operation& operation : site.document().operations()) {
    if (!is_for_operators(operation)) {
      continue;
    }
    for (const std::string& bearer : {site.deployment().operator_token(), stranger}) {
      const auto [status, correlation] = ask(operation, site.url(), bearer);
      if (status == 501) {
        continue;  // nothing is there that could be privileged
      }
      ++asked;
      if (site.count("audit.audit_log_entry WHERE correlation_id = '" + correlation + "'") == 0 &&
          !kOnOnesOwn.contains(operation.id)) {
        silent.insert(operation.id + " " + std::to_string(status));
      }
    }
  }
  CHECK(silent == std::set<std::string>());
  CHECK(asked > 50);
}

TEST_CASE("what concerns nobody but the caller leaves no row, and exists", "[contract][audit]") {
  Site& site = Site::shared();
  for (const std::string& id : kOnOnesOwn) {
    INFO(id);
    const Operation* operation = site.document().find(id);
    REQUIRE(operation != nullptr);
    const auto [status, correlation] =
        ask(*operation, site.url(), site.deployment().operator_token());
    CHECK(status < 500);
    CHECK(site.count("audit.audit_log_entry WHERE correlation_id = '" + correlation + "'") == 0);
  }
}
