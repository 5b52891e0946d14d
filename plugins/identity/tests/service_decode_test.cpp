#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "http/credential_answers.hpp"
#include "http/service_routes.hpp"

using namespace plexsphere;
using namespace plexsphere::identity;
using nlohmann::json;

namespace {

const json kIdentity{{"display_name", "Builder"},
                     {"subject", "builder"},
                     {"audience", "plexsphere"},
                     {"federation_kind", "api_token"}};
const json kByToken{
    {"grant_type", "client_credentials"}, {"client_id", "c"}, {"client_secret", "psk_s"}};
const json kByAssertion{{"grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"},
                        {"client_id", "c"},
                        {"client_assertion", "a.b.c"}};

json with(json object, const char* name, const json& value) {
  object[name] = value;
  return object;
}
json without(json object, const char* name) {
  object.erase(name);
  return object;
}

std::string sign_in_refusal(const json& body) {
  bool scoped = false;
  const auto order = detail::decode_sign_in(body.dump(), scoped);
  return order.ok() ? "" : order.error().reason;
}

}  // namespace

TEST_CASE("a service identity's body is read strictly", "[identity]") {
  const auto good = detail::decode_service_identity(kIdentity.dump());
  REQUIRE(good.ok());
  CHECK(good->federation == FederationKind::api_token);
  const auto refused = [](const json& body) {
    const auto order = detail::decode_service_identity(body.dump());
    return !order.ok() && order.error().reason == "invalid_service_identity";
  };
  for (const char* name : {"display_name", "subject", "audience", "federation_kind"}) {
    CHECK(refused(without(kIdentity, name)));
    CHECK(refused(with(kIdentity, name, "")));
    CHECK(refused(with(kIdentity, name, "  ")));
    CHECK(refused(with(kIdentity, name, 1)));
  }
  CHECK(refused(with(kIdentity, "display_name", std::string(257, 'x'))));
  CHECK(refused(with(kIdentity, "subject", std::string(2049, 'x'))));
  CHECK(refused(with(kIdentity, "federation_kind", "saml")));
  CHECK(refused(with(kIdentity, "extra", 1)));
  CHECK(refused(with(kIdentity, "federation_kind", "spiffe_svid")));
  CHECK_FALSE(
      refused(with(with(kIdentity, "federation_kind", "spiffe_svid"), "subject", "spiffe://d/w")));
  CHECK(refused(json::array()));
}

TEST_CASE("each grant takes its own credential and refuses the other's", "[identity]") {
  bool scoped = false;
  auto order = detail::decode_sign_in(kByToken.dump(), scoped);
  REQUIRE(order.ok());
  CHECK(order->grant == Grant::client_credentials);
  CHECK(order->credential.view() == "psk_s");
  CHECK_FALSE(scoped);
  order = detail::decode_sign_in(with(kByAssertion, "scope", "x").dump(), scoped);
  REQUIRE(order.ok());
  CHECK(order->grant == Grant::jwt_bearer);
  CHECK(order->credential.view() == "a.b.c");
  CHECK(scoped);

  CHECK(sign_in_refusal(with(kByToken, "client_assertion", "a")) == "invalid_body");
  CHECK(sign_in_refusal(with(kByAssertion, "client_secret", "a")) == "invalid_body");
  for (const char* name : {"client_id", "client_secret"}) {
    CHECK(sign_in_refusal(without(kByToken, name)) == "invalid_body");
    CHECK(sign_in_refusal(with(kByToken, name, "")) == "invalid_body");
    CHECK(sign_in_refusal(with(kByToken, name, std::string(4097, 'x'))) == "invalid_body");
  }
  CHECK(sign_in_refusal(without(kByAssertion, "client_assertion")) == "invalid_body");
  CHECK(sign_in_refusal(without(kByToken, "grant_type")) == "invalid_body");
  CHECK(sign_in_refusal(with(kByToken, "grant_type", "password")) == "unsupported_grant_type");
  CHECK(sign_in_refusal(with(kByToken, "more", 1)) == "invalid_body");
}

TEST_CASE("an API token's body is read strictly", "[identity]") {
  const json good{{"identity_ref", "service:0197c0de-1111-7222-8333-444455556666"},
                  {"env_prefix", "prod"},
                  {"ttl_seconds", 31'536'000}};
  const auto read = decode_issue_request(good.dump());
  REQUIRE(read.ok());
  CHECK(read->owner_kind == OwnerKind::service);
  CHECK(read->ttl_seconds == 31'536'000);
  CHECK_FALSE(decode_issue_request(without(good, "ttl_seconds").dump())->ttl_seconds);
  const auto refused = [](const json& body) { return !decode_issue_request(body.dump()).ok(); };
  CHECK(refused(with(good, "identity_ref", "user:nobody")));
  CHECK(refused(with(good, "identity_ref", "user:00000000-0000-0000-0000-000000000000")));
  CHECK(refused(with(good, "env_prefix", "test")));
  CHECK(refused(with(good, "ttl_seconds", 0)));
  CHECK(refused(with(good, "ttl_seconds", 31'536'001)));
  CHECK(refused(with(good, "more", 1)));
  CHECK(refused(without(good, "env_prefix")));
}
