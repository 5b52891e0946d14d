// New wrap keys for Nodes' secret keys, as operators ask for them: every status and code but 500.
#include <catch2/catch.hpp>

#include "contract/site.hpp"
#include "contract/specification.hpp"

using namespace plexsphere;
using contract::hold;
using contract::kNobody;
using contract::Site;

namespace {

constexpr const char* kAll = "/v1/admin/nsk/rewrap";

std::string of_domain(const std::string& id) {
  return "/v1/admin/domains/" + id + "/nsk/rewrap";
}

}  // namespace

TEST_CASE("RewrapNodeSecretKeys, GetNodeSecretKeyRewrap", "[contract][identity]") {
  Site& site = Site::shared();
  const auto op = site.op();
  (void)site.enrol();
  const std::string path = of_domain(site.domain());
  const std::string empty = of_domain(site.deployment().op().create_domain("void", "10.9.0.0/24"));
  const auto [owner_id, owner_token] = site.make_user("domain-owner");
  site.grant("domain", site.domain(), "owner", owner_id);
  const auto owner = op.as(owner_token);
  for (const std::string method : {"POST", "GET"}) {
    hold({
        {"401 unauthenticated", site.anybody(), method, path},
        {"403 permission_denied", site.stranger(), method, path},
        {"403 permission_denied", site.stranger(), method, of_domain(kNobody)},
        {"403 permission_denied", owner, method, path},
        {"400 invalid_domain_id", op, method, of_domain("x")},
        {"404 domain_not_found", op, method, of_domain(kNobody)},
    });
  }
  hold({
      {"400 invalid_body", op, "POST", path, "{\"a\":1}"},
      {"400 invalid_body", op, "POST", path, "["},
      {"413 request_body_too_large", op, "POST", path, std::string(70'000, ' ')},
      {"404 nsk_wrap_key_not_found", op, "POST", empty},
      {"404 nsk_rewrap_not_found", op, "GET", empty},
      {"404 nsk_rewrap_not_found", op, "GET", path},
      {"202", op, "POST", path},
      {"202", op, "POST", path, "{}"},
      {"200", op, "GET", path},
  });
  CHECK(site.count("identity.nsk_rewrap WHERE domain_id = '" + site.domain() + "'") == 1);
}

TEST_CASE("RewrapAllNodeSecretKeys, ListNodeSecretKeyRewraps", "[contract][identity]") {
  Site& site = Site::shared();
  const auto op = site.op();
  (void)site.enrol();
  for (const std::string method : {"POST", "GET"}) {
    hold({
        {"401 unauthenticated", site.anybody(), method, kAll},
        {"403 permission_denied", site.stranger(), method, kAll},
    });
  }
  const std::string list = kAll;
  hold({
      {"400 invalid_body", op, "POST", kAll, "[]"},
      {"413 request_body_too_large", op, "POST", kAll, std::string(70'000, ' ')},
      {"202", op, "POST", kAll},
      {"400 invalid_limit", op, "GET", list + "?limit=0"},
      {"400 invalid_cursor", op, "GET", list + "?cursor=forged"},
      {"200", op, "GET", list + "?limit=200"},
  });
  const std::string cursor = op.call("GET", list + "?limit=1").body.at("next_cursor");
  CHECK(op.call("GET", list + "?limit=1&cursor=" + cursor).outcome() == "200");
  const auto [other_id, other_token] = site.make_user("other-operator");
  site.grant("platform", "plexsphere", "admin", other_id);
  CHECK(op.as(other_token).call("GET", list + "?cursor=" + cursor).outcome() ==
        "403 cursor_binding_mismatch");
}
