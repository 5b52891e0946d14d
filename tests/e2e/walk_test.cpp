#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "e2e/deployment.hpp"
#include "sim/node.hpp"

using namespace plexsphere;

TEST_CASE("a newcomer's walk: tenant, tokens, three nodes, heartbeats, state, audit", "[e2e]") {
  e2e::Deployment deployment;
  const std::string url = deployment.start_core().url();
  const sim::Operator op = deployment.op();
  const std::string domain = op.create_domain("acme", "10.7.0.0/24");
  const std::string project = op.create_project(domain, "edge");

  std::vector<sim::Node> nodes;
  for (const char* handle : {"a", "b", "c"}) {
    op.create_resource(project, handle);
    nodes.push_back(
        sim::Node::enrol(url, {project, handle, op.issue_token(project), sim::make_nonce()}));
    CHECK(nodes.back().peers_at_enrolment() == nodes.size() - 1);
  }

  SECTION("each node's state names the others and never itself, byte for byte the same twice") {
    for (const auto& node : nodes) {
      const auto state = node.state();
      CHECK(state.at("peers").size() == 2);
      for (const auto& peer : state.at("peers")) {
        CHECK(peer.at("node_id") != node.id());
      }
      for (const char* block : {"peers", "policy", "bridge", "state", "reports", "reachability"}) {
        CHECK(state.contains(block));
      }
      const sim::Api api(url, node.bearer());
      const std::string path = "/v1/nodes/" + node.id() + "/state";
      CHECK(api.raw("GET", path).body == api.raw("GET", path).body);
    }
  }

  SECTION("a heartbeat makes a node healthy, and only its own key may send it") {
    CHECK(nodes[0].reachability().at("state") == "unreachable");
    const std::string accepted = nodes[0].heartbeat();
    CHECK(nodes[0].reachability().at("state") == "healthy");
    CHECK(nodes[0].reachability().at("last_heartbeat_at") == accepted);

    const auto foreign =
        sim::Api(url, nodes[1].bearer()).raw("GET", "/v1/nodes/" + nodes[0].id() + "/state");
    CHECK(foreign.status == 403);
    CHECK(nlohmann::json::parse(foreign.body).at("code") == "node_id_mismatch");
  }

  SECTION("the Domain's audit chain shows every step and verifies") {
    CHECK(op.count_audit_rows(domain, "domain.create") == 1);
    CHECK(op.count_audit_rows(domain, "bootstrap_token.issue") == 3);
    CHECK(op.count_audit_rows(domain, "bootstrap_token.consume") == 3);
    CHECK(op.count_audit_rows(domain, "node.register") == 3);
    CHECK(op.verify_chain(domain).at("ok") == true);
  }

  SECTION("a tampered row is found, and named") {
    deployment.postgres().query(
        "ALTER TABLE audit.audit_log_entry DISABLE TRIGGER USER; "
        "UPDATE audit.audit_log_entry SET canonical_bytes = canonical_bytes || 'x' "
        "WHERE domain_id = '" +
            domain + "' AND seq = 2",
        "plexsphere");
    const auto verdict = op.verify_chain(domain);
    CHECK(verdict.at("ok") == false);
    CHECK(verdict.at("divergent_seq") == 2);
  }
}
