// POST /v1/authz/check: the verdict is data, and every question is on record.
#include <catch2/catch.hpp>

#include "e2e/tenant_site.hpp"

using namespace plexsphere;
using e2e::TenantSite;
using nlohmann::json;

namespace {

json question(const std::string& subject, const std::string& relation,
              const std::string& resource) {
  return {{"subject", subject}, {"relation", relation}, {"resource", resource}};
}

}  // namespace

TEST_CASE("a check answers allowed with its path or denied with its reason, and is audited",
          "[e2e]") {
  TenantSite site;
  const auto op = site.deployment().op();
  const auto domain = op.create_domain("acme", "10.1.0.0/16");
  const auto project = op.create_project(domain, "edge");
  auto user = site.make_user("ada");
  const auto ask = [&](const std::string& relation) {
    return site.post("/v1/authz/check",
                     question("user:" + user.id, relation, "project:" + project));
  };
  const auto stranger = ask("read");
  CHECK(stranger.status == 200);
  CHECK(stranger.body.at("decision") == "denied");
  CHECK(stranger.body.at("reason") == "out_of_scope");
  CHECK_FALSE(stranger.body.contains("relation_path"));

  site.grant("domain", domain, "member", user);
  const auto allowed = ask("read");
  CHECK(allowed.body.at("decision") == "allowed");
  CHECK(allowed.body.at("relation_path") == json{"project:" + project + "#read",
                                                 "domain:" + domain + "#read",
                                                 "domain:" + domain + "#member"});
  CHECK_FALSE(allowed.body.contains("reason"));
  CHECK_FALSE(allowed.body.at("correlation_id").get<std::string>().empty());
  CHECK(ask("deploy").body.at("reason") == "insufficient_relation");
  CHECK(op.count_audit_rows(domain, "authz.check") == 3);
}

TEST_CASE("anybody authenticated may ask; ill-formed questions are named as such", "[e2e]") {
  TenantSite site;
  auto user = site.make_user("ada");
  const auto ask = [&](const json& body) {
    return TenantSite::call(user.api, "POST", "/v1/authz/check", body);
  };
  const std::string me = "user:" + user.id;
  CHECK(ask(question(me, "manage", "platform:plexsphere")).body.at("decision") == "denied");
  CHECK(ask(question(me, "read", "domain:nowhere")).body.at("decision") == "denied");
  json with_context = question(me, "manage", "platform:plexsphere");
  with_context["caveat_context"] = {{"ip", "192.0.2.1"}};
  CHECK(ask(with_context).status == 200);
  for (const json& wrong : {question("nobody", "read", "domain:d"), question(me, "read", "domain"),
                            question(me, "wizardry", "domain:d"), question(me, "read", "castle:c"),
                            question(me, "", "domain:d"), json{{"subject", me}}}) {
    INFO(wrong.dump());
    const auto answer = ask(wrong);
    CHECK(answer.status == 400);
    CHECK(answer.code == "invalid_check_request");
  }
  CHECK(TenantSite::call(user.api, "POST", "/v1/authz/check").code == "invalid_body");
  json big = question(me, "read", "domain:d");
  big["padding"] = std::string(8192, 'x');
  CHECK(ask(big).status == 413);
}
