// Who a bearer is, what a refused one is told, and how soon a revocation is seen.
#include <catch2/catch.hpp>

#include "e2e/enrolment_site.hpp"
#include "plexsphere/sdk/encoding.hpp"
#include "plexsphere/sdk/uuid.hpp"
#include "support/wait_until.hpp"

using namespace plexsphere;
using e2e::EnrolmentSite;
using nlohmann::json;

namespace {

struct Seen {
  int status;
  std::string code;
  bool operator==(const Seen&) const = default;
};

std::ostream& operator<<(std::ostream& out, const Seen& seen) {
  return out << seen.status << " " << seen.code;
}

Seen get(const std::string& url, const std::string& bearer, const std::string& path) {
  const auto response = sim::Api(url, bearer).raw("GET", path);
  const auto body = json::parse(response.body, nullptr, false);
  return {response.status, body.is_object() ? body.value("code", "") : ""};
}

Seen heartbeat(const std::string& url, const std::string& bearer, const std::string& id) {
  const auto response = sim::Api(url, bearer).raw("POST", "/v1/nodes/" + id + "/heartbeat", "{}");
  return {response.status, json::parse(response.body).value("code", "")};
}

std::string bearer_of(const std::string& id, const std::string& key) {
  return "nsk_plexd_" + sdk::base64url_encode(std::string(sdk::Uuid::parse(id)->bytes()) + key);
}

}  // namespace

TEST_CASE("a Node's bearer is refused with the code that says why", "[e2e]") {
  EnrolmentSite site;
  const auto enrolled = site.register_node(site.fresh_request("vm-1"));
  REQUIRE(enrolled.status == 201);
  const std::string id = enrolled.body.at("node_id");
  const std::string nsk = enrolled.body.at("nsk");
  const std::string key = *sdk::base64_decode(nsk);
  REQUIRE(key.size() == 32);
  const std::string good = bearer_of(id, key);

  CHECK(heartbeat(site.url(), "", id) == Seen{401, "unauthorized"});
  CHECK(heartbeat(site.url(), nsk, id) == Seen{401, "unauthorized"});  // the plain base64
  CHECK(heartbeat(site.url(), "nsk_plexd_short", id) == Seen{401, "unauthorized"});
  CHECK(heartbeat(site.url(), site.deployment().operator_token(), id) == Seen{401, "unauthorized"});
  CHECK(heartbeat(site.url(), bearer_of(id, std::string(32, 'x')), id) == Seen{401, "nsk_invalid"});
  CHECK(heartbeat(site.url(), bearer_of("0197c0de-1111-7222-8333-444455556666", key), id) ==
        Seen{401, "nsk_invalid"});
  CHECK(site.count("identity.node_secret_key WHERE first_used_at IS NOT NULL") == 0);
  CHECK(heartbeat(site.url(), good, id).status == 400);  // past authentication: an empty body
  CHECK(site.count("identity.node_secret_key WHERE first_used_at IS NOT NULL") == 1);
  CHECK(get(site.url(), good, "/v1/auth/whoami") == Seen{401, "unauthenticated"});

  site.sql("UPDATE identity.node_secret_key SET revoked_at = now()");
  const std::string second = site.deployment().start_core().url();  // nothing remembered
  CHECK(heartbeat(second, good, id) == Seen{401, "nsk_revoked"});
  CHECK(test_support::wait_until(std::chrono::seconds(5), [&] {
    return heartbeat(site.url(), good, id) == Seen{401, "nsk_revoked"};
  }));
}

TEST_CASE("an operator's token says who it is, until it ends", "[e2e]") {
  EnrolmentSite site;
  const std::string token = site.deployment().operator_token();
  const json who = site.op().api().get("/v1/auth/whoami");
  CHECK(who.at("principal_type") == "user");
  CHECK(who.at("principal_scope") == "platform");
  CHECK_FALSE(who.at("subject").get<std::string>().empty());
  CHECK_FALSE(who.contains("domain_id"));
  CHECK_FALSE(who.contains("email"));

  const Seen refused{401, "unauthenticated"};
  std::string forged = token;
  forged[forged.size() - 5] = forged[forged.size() - 5] == 'a' ? 'b' : 'a';
  CHECK(get(site.url(), forged, "/v1/auth/whoami") == refused);
  CHECK(get(site.url(), "", "/v1/auth/whoami") == refused);
  CHECK(get(site.url(), "psk_dev_x_y", "/v1/auth/whoami") == refused);

  site.sql("UPDATE identity.api_token SET expires_at = now()");
  CHECK(test_support::wait_until(std::chrono::seconds(5), [&] {
    return get(site.url(), token, "/v1/auth/whoami") == refused;
  }));
}

TEST_CASE("lists are paged, and their cursors are good for their list and caller only", "[e2e]") {
  EnrolmentSite site;
  const auto& api = site.op().api();
  for (const char* handle : {"a", "b", "c"}) {
    REQUIRE(site.register_node(site.fresh_request(handle)).status == 201);
  }
  const json first = api.get("/v1/nodes?limit=2");
  CHECK(first.at("items").size() == 2);
  const std::string cursor = first.at("next_cursor");
  const json rest = api.get("/v1/nodes?limit=2&cursor=" + cursor);
  CHECK(rest.at("items").size() == 1);
  CHECK_FALSE(rest.contains("next_cursor"));
  CHECK(rest.at("items")[0].at("name") == "c");
  CHECK(rest.at("items")[0].at("kind") == "vm");

  const auto code = [&](const std::string& path) {
    return get(site.url(), site.deployment().operator_token(), path);
  };
  CHECK(code("/v1/nodes?limit=0") == Seen{400, "invalid_limit"});
  CHECK(code("/v1/nodes?limit=201") == Seen{400, "invalid_limit"});
  CHECK(code("/v1/nodes?cursor=nonsense") == Seen{400, "invalid_cursor"});
  CHECK(code("/v1/nodes?domain_id=x") == Seen{400, "invalid_domain_id"});
  CHECK(code("/v1/nodes?domain_id=" + site.domain() + "&cursor=" + cursor) ==
        Seen{400, "invalid_cursor"});

  const json tokens = api.get(site.tokens_path() + "?limit=1");
  CHECK(tokens.at("items").size() == 1);
  CHECK(tokens.at("items")[0].contains("consumed_at"));
  CHECK(code(site.tokens_path() + "?cursor=" + cursor) == Seen{400, "invalid_cursor"});
  CHECK(code("/v1/auth/idp-bindings") == Seen{501, "idp_bindings_not_provisioned"});
}
