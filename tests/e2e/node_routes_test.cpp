#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "e2e/deployment.hpp"
#include "plexsphere/sdk/time.hpp"
#include "sim/node.hpp"

using namespace plexsphere;
using nlohmann::json;

namespace {

constexpr auto kNobody = "01990000-0000-7000-8000-000000000001";

json heartbeat_body() {
  const auto now =
      std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
  return {{"client_now", sdk::rfc3339(now)},
          {"binary_checksum", std::string(43, 'A') + "="},
          {"binary_version", "1.0.0"},
          {"nat_summary", json::object()}};
}

// "400 clock_skew": status and problem code, or the status alone.
std::string outcome(const test_support::HttpResponse& response) {
  const auto body = json::parse(response.body, nullptr, false);
  const auto code = body.is_object() ? body.value("code", std::string()) : std::string();
  return std::to_string(response.status) + (code.empty() ? "" : " " + code);
}

// One Domain with one Node and whoever is needed to look at it.
struct Mesh {
  e2e::Deployment deployment;
  std::string url = deployment.start_core().url();
  sim::Operator op = deployment.op();
  std::string domain = op.create_domain("acme", "10.7.0.0/24");
  std::string project = op.create_project(domain, "edge");
  sim::Node node = enrol("a");

  sim::Node enrol(const char* handle) const {
    op.create_resource(project, handle);
    return sim::Node::enrol(url, {project, handle, op.issue_token(project), sim::make_nonce()});
  }
  std::string path(const std::string& tail) const { return "/v1/nodes/" + node.id() + tail; }
  std::string beat(const json& body) const { return beat_text(body.dump(), node.bearer()); }
  std::string beat_text(const std::string& body, const std::string& bearer) const {
    return outcome(sim::Api(url, bearer).raw("POST", path("/heartbeat"), body));
  }
  void sql(const std::string& text) { deployment.postgres().query(text, "plexsphere"); }
};

}  // namespace

TEST_CASE("a Node's routes refuse with the contract's codes and show what is stored", "[e2e]") {
  Mesh mesh;

  SECTION("a heartbeat is refused for who sends it, then for what it says, in that order") {
    const auto good = heartbeat_body();
    CHECK(mesh.beat(good) == "200");
    CHECK(mesh.beat_text("{", "") == "401 unauthorized");
    CHECK(mesh.beat_text("{", "nsk_plexd_" + std::string(64, 'A')) == "401 nsk_invalid");
    CHECK(mesh.beat_text("{", mesh.enrol("b").bearer()) == "403 node_id_mismatch");
    CHECK(mesh.beat_text("{", mesh.node.bearer()) == "400 malformed_heartbeat_request");

    const auto with = [&](const char* member, const json& value) {
      auto body = good;
      body[member] = value;
      return mesh.beat(body);
    };
    CHECK(with("uptime", 3) == "400 malformed_heartbeat_request");
    CHECK(with("nat_summary", nullptr) == "400 malformed_heartbeat_request");
    CHECK(with("nat_summary", {{"a", std::string(1, '\0')}}) == "400 malformed_heartbeat_request");
    CHECK(with("client_now", "2020-01-01T00:00:00Z") == "400 clock_skew");
    CHECK(with("binary_checksum", "") == "400 binary_checksum_empty");
    CHECK(with("binary_checksum", std::string(64, 'a')) == "200");
    CHECK(with("binary_version", "  ") == "400 binary_version_empty");
    CHECK(with("nat_summary", {{"a", std::string(60'000, 'x')}}) == "200");
    CHECK(with("nat_summary", {{"a", std::string(70'000, 'x')}}) == "413 request_body_too_large");
  }

  SECTION("a credential that was replaced after the gate looked stores nothing") {
    mesh.node.heartbeat();
    const auto before = mesh.node.reachability();
    mesh.sql("UPDATE mesh.peer SET credential_generation = credential_generation + 1");
    CHECK(mesh.beat(heartbeat_body()) == "401 nsk_revoked");
    CHECK(mesh.node.reachability() == before);
  }

  SECTION("a Node that identity knows and mesh was not told of keeps its credential") {
    mesh.sql("DELETE FROM mesh.peer");
    CHECK(mesh.beat(heartbeat_body()) == "500 internal");
  }

  SECTION("reachability follows silence by the database's clock") {
    const auto after = [&](const std::string& silence) {
      mesh.sql("UPDATE mesh.peer SET last_heartbeat_at = now() - interval '" + silence + "'");
      return mesh.node.reachability().at("state").get<std::string>();
    };
    CHECK_FALSE(mesh.node.reachability().contains("last_heartbeat_at"));
    CHECK(after("60 s") == "healthy");
    CHECK(after("120 s") == "stale");
    CHECK(mesh.node.state().at("reachability") == mesh.node.reachability());
    CHECK(after("400 s") == "unreachable");
    const auto since = mesh.node.heartbeat();
    CHECK(mesh.node.reachability().at("changed_at") == since);
    mesh.node.heartbeat();
    CHECK(mesh.node.reachability().at("changed_at") == since);
  }

  SECTION("an operator sees the same, and of a Node that is not there its code") {
    const auto& api = mesh.op.api();
    CHECK(api.get(mesh.path("/state")) == mesh.node.state());
    const std::string nobody = std::string("/v1/nodes/") + kNobody;
    CHECK(outcome(api.raw("GET", nobody + "/state")) == "404 not_found");
    CHECK(outcome(api.raw("GET", nobody + "/reachability")) == "404 node_not_found");
  }

  SECTION("what is not built answers 501 with its own code") {
    const auto& api = mesh.op.api();
    CHECK(outcome(api.raw("GET", mesh.path("/events"))) == "501 signed_event_bus_not_provisioned");
    CHECK(outcome(api.raw("GET", "/v1/domains/" + mesh.domain + "/mesh/topology")) ==
          "501 mesh_topology_not_provisioned");
  }
}

TEST_CASE("a Project's sub-range is its own, and a full one says so", "[e2e]") {
  Mesh mesh;  // its Node holds 10.7.0.2
  const auto project = mesh.op.api().post("/v1/projects", {{"domain_id", mesh.domain},
                                                           {"slug", "lab"},
                                                           {"name", "Lab"},
                                                           {"sub_range_cidr", "10.7.0.4/30"}});
  const std::string lab = project.at("id");
  const auto enrol = [&](const std::string& where, const std::string& handle) {
    mesh.op.create_resource(where, handle);
    return sim::Node::enrol(mesh.url,
                            {where, handle, mesh.op.issue_token(where), sim::make_nonce()});
  };
  CHECK(enrol(lab, "l1").mesh_ip() == "10.7.0.6");
  CHECK_THROWS_WITH(enrol(lab, "l2"), Catch::Contains("subrange_exhausted"));
  CHECK(enrol(mesh.project, "b").mesh_ip() == "10.7.0.3");
  CHECK(enrol(mesh.project, "c").mesh_ip() == "10.7.0.8");
}
