// What a Node asks with its own key, and what operators see of it: every status and code of the
// contract but 500.
#include <catch2/catch.hpp>

#include "contract/site.hpp"
#include "contract/specification.hpp"
#include "plexsphere/sdk/time.hpp"

using namespace plexsphere;
using contract::hold;
using contract::kNobody;
using contract::Site;
using contract::with;
using contract::without;
using nlohmann::json;

namespace {

std::string now_text() {
  return sdk::rfc3339(
      std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now()));
}

json heartbeat() {
  return {{"client_now", now_text()},
          {"binary_checksum", std::string(43, 'A') + "="},
          {"binary_version", "1.0.0"},
          {"nat_summary", json::object()}};
}

std::string node_path(const std::string& id, const std::string& tail) {
  return "/v1/nodes/" + id + tail;
}

// A Node whose key is worth nothing any more.
sim::Node revoked_node(Site& site) {
  auto node = site.enrol();
  site.sql("UPDATE identity.node_secret_key SET revoked_at = now() WHERE node_id = '" + node.id() +
           "'");
  return node;
}

}  // namespace

TEST_CASE("PostNodeHeartbeat", "[contract][mesh]") {
  Site& site = Site::shared();
  const auto node = site.enrol();
  const auto agent = site.as(node);
  const auto revoked = revoked_node(site);
  const std::string path = node_path(node.id(), "/heartbeat");
  const json good = heartbeat();
  hold({
      {"401 unauthorized", site.anybody(), "POST", path, "{"},
      {"401 nsk_invalid", agent.as(Site::forged_key(node.id())), "POST", path, "{"},
      {"401 nsk_revoked", site.as(revoked), "POST", node_path(revoked.id(), "/heartbeat"), "{"},
      {"403 node_id_mismatch", site.as(site.enrol()), "POST", path, "{"},
      {"413 request_body_too_large", agent, "POST", path,
       with(good, "nat_summary", {{"a", std::string(70'000, 'x')}})},
      {"400 invalid_id", agent, "POST", node_path("x", "/heartbeat"), good.dump()},
      {"400 malformed_heartbeat_request", agent, "POST", path, "{"},
      {"400 malformed_heartbeat_request", agent, "POST", path, with(good, "uptime", 3)},
      {"400 malformed_heartbeat_request", agent, "POST", path, without(good, "nat_summary")},
      {"400 clock_skew", agent, "POST", path, with(good, "client_now", "2020-01-01T00:00:00Z")},
      {"400 binary_checksum_empty", agent, "POST", path, with(good, "binary_checksum", "")},
      {"400 binary_version_empty", agent, "POST", path, with(good, "binary_version", " ")},
      {"200", agent, "POST", path, good.dump()},
      {"200", agent, "POST", path, with(good, "nat_summary", {{"type", "full_cone"}})},
  });
}

TEST_CASE("GetNodeState, GetNodeReachability", "[contract][mesh]") {
  Site& site = Site::shared();
  const auto node = site.enrol();
  const auto agent = site.as(node);
  const auto other = site.enrol();
  const auto revoked = revoked_node(site);
  for (const std::string tail : {"/state", "/reachability"}) {
    const std::string path = node_path(node.id(), tail);
    const bool state = tail == "/state";
    const std::string gone = state ? "404 not_found" : "404 node_not_found";
    const std::string denied = state ? "403 permission_denied" : "403 insufficient_relation";
    hold({
        {"401 unauthenticated", site.anybody(), "GET", path},
        {"401 nsk_invalid", agent.as(Site::forged_key(node.id())), "GET", path},
        {"401 nsk_revoked", site.as(revoked), "GET", node_path(revoked.id(), tail)},
        {"403 node_id_mismatch", site.as(other), "GET", path},
        {denied, site.stranger(), "GET", path},
        {denied, site.stranger(), "GET", node_path(kNobody, tail)},
        {"400 invalid_id", site.op(), "GET", node_path("x", tail)},
        {gone, site.op(), "GET", node_path(kNobody, tail)},
        {"200", agent, "GET", path},
        {"200", site.op(), "GET", path},
    });
  }
  REQUIRE(agent.call("POST", node_path(node.id(), "/heartbeat"), heartbeat()).status == 200);
  CHECK(agent.call("GET", node_path(node.id(), "/reachability")).body.at("state") == "healthy");
}

TEST_CASE("ListNodes", "[contract][identity]") {
  Site& site = Site::shared();
  const auto op = site.op();
  site.enrol();
  site.enrol();
  const std::string cursor = op.call("GET", "/v1/nodes?limit=1").body.at("next_cursor");
  const std::string of_nothing = std::string("/v1/nodes?domain_id=") + kNobody;
  auto [member_id, member] = site.make_user("member-of-nothing");
  site.grant("domain", kNobody, "member", member_id);
  hold({
      {"401 unauthenticated", site.anybody(), "GET", "/v1/nodes"},
      {"400 invalid_limit", op, "GET", "/v1/nodes?limit=0"},
      {"400 invalid_limit", op, "GET", "/v1/nodes?limit=201"},
      {"400 invalid_cursor", op, "GET", "/v1/nodes?cursor=forged"},
      {"400 invalid_domain_id", op, "GET", "/v1/nodes?domain_id=x"},
      {"403 cursor_binding_mismatch", op.as(member), "GET", "/v1/nodes?cursor=" + cursor},
      {"403 permission_denied", site.stranger(), "GET", "/v1/nodes"},
      {"403 permission_denied", site.stranger(), "GET", "/v1/nodes?domain_id=" + site.domain()},
      {"403 permission_denied", site.stranger(), "GET", of_nothing},
      {"200", op, "GET", "/v1/nodes?limit=1&cursor=" + cursor},
      {"200", op, "GET", "/v1/nodes?domain_id=" + site.domain()},
      {"200", op, "GET", of_nothing},
      {"200", op.as(member), "GET", "/v1/nodes"},
  });
  CHECK(site.stranger().call("GET", "/v1/nodes").body.at("reason") == "out_of_scope");
  // Whoever has a relation and may see none cannot tell the page from an empty one.
  const json hidden = op.as(member).call("GET", "/v1/nodes?domain_id=" + site.domain()).body;
  CHECK(hidden == op.as(member).call("GET", of_nothing).body);
  CHECK(site.count("audit.audit_log_entry WHERE relation = 'node.list' AND reason = "
                   "'out_of_scope'") >= 3);
}

TEST_CASE("GetAuthWhoami", "[contract][identity]") {
  Site& site = Site::shared();
  hold({
      {"401 unauthenticated", site.anybody(), "GET", "/v1/auth/whoami"},
      {"401 unauthenticated", site.op().as("psk_dev_nonsense"), "GET", "/v1/auth/whoami"},
      {"200", site.op(), "GET", "/v1/auth/whoami"},
      {"200", site.stranger(), "GET", "/v1/auth/whoami"},
  });
}
