// Deregistration, by the Node itself and by operators: every status and code but 500. What is left
// of a Node afterwards is in tests/e2e/deregistration_test.cpp.
#include <catch2/catch.hpp>

#include "contract/site.hpp"
#include "contract/specification.hpp"

using namespace plexsphere;
using contract::hold;
using contract::kNobody;
using contract::Site;
using nlohmann::json;

namespace {

const std::string kBig(5000, ' ');

std::string own(const std::string& id) {
  return "/v1/nodes/" + id + "/deregister";
}
std::string admin(const std::string& id) {
  return "/v1/admin/nodes/" + id + "/deregister";
}

}  // namespace

TEST_CASE("DeregisterNode", "[contract][identity]") {
  Site& site = Site::shared();
  const auto node = site.enrol();
  const auto agent = site.as(node);
  const std::string path = own(node.id());
  hold({
      {"401 unauthorized", site.anybody(), "POST", path},
      {"401 unauthorized", site.op(), "POST", path},
      {"401 nsk_invalid", agent.as(Site::forged_key(node.id())), "POST", path},
      {"403 node_id_mismatch", site.as(site.enrol()), "POST", path},
      {"413 request_body_too_large", agent, "POST", path, kBig},
      {"400 invalid_node_id", agent, "POST", own("x")},
      {"400 malformed_deregister_request", agent, "POST", path, "{"},
      {"400 malformed_deregister_request", agent, "POST", path, R"({"reason":"old"})"},
      {"400 malformed_deregister_request", agent, "POST", path, "[]"},
      {"200", agent, "POST", path},
      {"401 nsk_revoked", agent, "POST", path},
  });
  const auto other = site.enrol();
  const auto answer = site.as(other).call("POST", own(other.id()), json::object());
  CHECK(answer.outcome() == "200");
  CHECK(answer.body == json::object());
}

TEST_CASE("AdminDeregisterNode", "[contract][identity]") {
  Site& site = Site::shared();
  const auto node = site.enrol();
  const auto op = site.op();
  const std::string path = admin(node.id());
  const auto [reader_id, reader] = site.make_user("reader-of-nodes");
  site.grant("project", site.project(), "member", reader_id);
  const auto [deployer_id, deployer] = site.make_user("deployer-of-nodes");
  site.grant("project", site.project(), "operator", deployer_id);
  hold({
      {"401 unauthenticated", site.anybody(), "POST", path},
      {"401 unauthenticated", site.as(node), "POST", path},
      {"403 permission_denied", site.stranger(), "POST", path},
      {"403 permission_denied", site.stranger(), "POST", admin(kNobody)},
      {"403 permission_denied", op.as(reader), "POST", path},
      {"404 node_not_found", op, "POST", admin(kNobody)},
      {"413 request_body_too_large", op, "POST", path, kBig},
      {"400 invalid_node_id", op, "POST", admin("x")},
      {"400 malformed_deregister_request", op, "POST", path, R"({"reason":"old"})"},
      {"200", op.as(deployer), "POST", path},
      {"200", op, "POST", path, "{}"},  // ended already: the same answer
      {"401 nsk_revoked", site.as(node), "POST", own(node.id())},
  });
}
