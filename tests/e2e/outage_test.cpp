// What clients see while a dependency is away, and after it is back.
#include <atomic>
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "e2e/deployment.hpp"
#include "sim/node.hpp"
#include "support/wait_until.hpp"

using namespace plexsphere;
using namespace std::chrono_literals;

namespace {

// The heartbeat of a node, as a raw status.
int heartbeat_status(const sim::Node& node) {
  try {
    (void)node.heartbeat();
    return 200;
  } catch (const sim::ApiError& e) {
    return e.status();
  } catch (const std::exception&) {
    return 0;  // no answer at all
  }
}

}  // namespace

TEST_CASE("a killed database is a 503, never a 401, and its return needs no restart", "[e2e]") {
  e2e::Deployment deployment(e2e::Deployment::Options{.durable = true});
  e2e::Core& core = deployment.start_core();
  const sim::Operator op = deployment.op();
  const std::string domain = op.create_domain("acme", "10.7.0.0/24");
  const std::string project = op.create_project(domain, "edge");
  op.create_resource(project, "a");
  const auto node =
      sim::Node::enrol(core.url(), {project, "a", op.issue_token(project), sim::make_nonce()});
  REQUIRE(heartbeat_status(node) == 200);

  std::set<int> seen;
  std::set<int> operator_seen;
  deployment.postgres().kill9();
  for (int i = 0; i < 5; ++i) {
    seen.insert(heartbeat_status(node));
    operator_seen.insert(op.api().raw("GET", "/v1/domains/" + domain).status);
  }
  CHECK(seen == std::set<int>{503});
  CHECK(operator_seen == std::set<int>{503});
  CHECK(e2e::wait_for_status(core.url() + "/readyz", 503, 10s).status == 503);
  CHECK(e2e::wait_for_status(core.url() + "/livez", 200, 2s).status == 200);

  deployment.postgres().start();
  CHECK(e2e::wait_for_status(core.url() + "/readyz", 200, 15s).status == 200);
  std::set<int> after;
  CHECK(test_support::wait_until(10s, [&] {
    after.insert(heartbeat_status(node));
    return after.contains(200);
  }));
  CHECK_FALSE(after.contains(401));
  CHECK(heartbeat_status(node) == 200);
  CHECK(op.verify_chain(domain).at("ok") == true);
  CHECK(core.process().running());
}

TEST_CASE("without the signer only what needs a signature is refused", "[e2e]") {
  e2e::Deployment deployment;
  e2e::Core& core = deployment.start_core();
  const sim::Operator op = deployment.op();
  const std::string domain = op.create_domain("acme", "10.7.0.0/24");
  const std::string project = op.create_project(domain, "edge");
  op.create_resource(project, "a");
  deployment.stop_signer();

  CHECK(e2e::wait_for_status(core.url() + "/readyz", 200, 5s).status == 200);
  const auto refused =
      op.api().raw("POST", "/v1/domains", R"({"name":"b","slug":"b","mesh_cidr":"10.8.0.0/24"})");
  CHECK(refused.status == 503);
  CHECK(nlohmann::json::parse(refused.body).at("code") == "signing_unavailable");
  // The Domain's public half is the core's own record: enrolment goes on.
  const auto node =
      sim::Node::enrol(core.url(), {project, "a", op.issue_token(project), sim::make_nonce()});
  CHECK(heartbeat_status(node) == 200);

  deployment.start_signer();
  CHECK(test_support::wait_until(15s, [&] {
    return op.api()
               .raw("POST", "/v1/domains", R"({"name":"b","slug":"b","mesh_cidr":"10.8.0.0/24"})")
               .status == 201;
  }));
}
