#include "host/http/problem.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

namespace plexsphere::host::http {
namespace {

TEST_CASE("a problem has the contract's members in their order", "[http]") {
  const auto response =
      render(Problem{409, "token_consumed", "The token was used.", R"({"dimension":"nodes"})", {}},
             "/v1/register", "abc");
  CHECK(response.status == 409);
  CHECK(response.content_type == "application/problem+json");
  CHECK(response.body ==
        R"({"type":"https://plexsphere.com/errors/token-consumed","title":"Conflict",)"
        R"("status":409,"detail":"The token was used.","instance":"/v1/register",)"
        R"("code":"token_consumed","correlation_id":"abc","dimension":"nodes"})");
}

TEST_CASE("members that are no object are dropped and told", "[http]") {
  for (const char* bad : {"[1]", "{", "7", "\"x\""}) {
    bool dropped = false;
    const auto response = render(Problem{400, "bad", "Bad.", bad, {}}, "/", "c", &dropped);
    CHECK(dropped);
    CHECK(nlohmann::json::parse(response.body).size() == 7);
  }
}

TEST_CASE("hostile text stays inside its member", "[http]") {
  const auto body = render(Problem{404, "not_found", "a\"}\n\xff", "", {}}, "/\"x", "c").body;
  CHECK(nlohmann::json::parse(body)["instance"] == "/\"x");
}

TEST_CASE("a denial carries reason, path and correlation id", "[http]") {
  const auto body = nlohmann::json::parse(
      render(Denial{"insufficient_relation", {"domain:1#viewer"}}, "/v1/x", "c").body);
  CHECK(body["status"] == 403);
  CHECK(body["code"] == "permission_denied");
  CHECK(body["reason"] == "insufficient_relation");
  CHECK(body["relation_path"] == nlohmann::json::array({"domain:1#viewer"}));
  CHECK(body["correlation_id"] == "c");
}

}  // namespace
}  // namespace plexsphere::host::http
