#include "domain/api_token.hpp"

#include <catch2/catch.hpp>

#include "domain/assertion.hpp"
#include "domain/service_identity.hpp"
#include "http/http_date.hpp"

using namespace plexsphere::identity;
using namespace std::chrono_literals;

TEST_CASE("an identity is a user or a service", "[identity]") {
  CHECK(parse_identity_ref("user:u")->kind == OwnerKind::user);
  CHECK(parse_identity_ref("service:s")->kind == OwnerKind::service);
  CHECK(parse_identity_ref("service:a:b")->id == "a:b");
  for (const char* wrong : {"", "user", "users:u", "node:n", "service-identity:s", "User:u"}) {
    CHECK_FALSE(parse_identity_ref(wrong));
  }
  CHECK(api_env_prefix("stage"));
  CHECK_FALSE(api_env_prefix("test"));
}

TEST_CASE("a rotated secret is taken for the grace, in whole seconds, no longer than its token",
          "[identity]") {
  const TokenInstant now{1'800'000'000s + 700ms};
  CHECK(rotation_deadline(now, 24h, now + 48h) == TokenInstant{1'800'000'000s + 24h});
  CHECK(rotation_deadline(now, 24h, TokenInstant{1'800'000'000s + 1h}) ==
        TokenInstant{1'800'000'000s + 1h});
  CHECK(rotation_deadline(now, 0ms, now + 1h) <= now);
}

TEST_CASE("HTTP dates are written as RFC 9110 has them", "[identity]") {
  CHECK(http_date(TokenInstant{784'111'777s + 999ms}) == "Sun, 06 Nov 1994 08:49:37 GMT");
  CHECK(http_date(TokenInstant{0s}) == "Thu, 01 Jan 1970 00:00:00 GMT");
}

TEST_CASE("a SPIFFE id has a trust domain and a path", "[identity]") {
  for (const char* good : {"spiffe://example.org/a", "spiffe://e_1-x.y/ns/prod/sa/Web.v1_2-3"}) {
    CHECK(valid_spiffe_id(good));
  }
  for (const char* bad :
       {"", "spiffe://", "spiffe://example.org", "spiffe://example.org/", "spiffe:///a",
        "SPIFFE://example.org/a", "spiffe://Example.org/a", "spiffe://example.org/a/",
        "spiffe://example.org//a", "spiffe://example.org/../a", "spiffe://example.org/./a",
        "spiffe://example.org/a?x", "spiffe://example.org:80/a", "spiffe://u@example.org/a",
        "spiffe://example.org/a%20b", "https://example.org/a"}) {
    INFO(bad);
    CHECK_FALSE(valid_spiffe_id(bad));
  }
  CHECK(valid_spiffe_id("spiffe://" + std::string(255, 'd') + "/a"));
  CHECK_FALSE(valid_spiffe_id("spiffe://" + std::string(256, 'd') + "/a"));
  CHECK_FALSE(valid_spiffe_id("spiffe://d/" + std::string(2048, 'a')));
  CHECK(trust_domain_of("spiffe://example.org/a/b") == "example.org");
}

TEST_CASE("each kind of service identity signs in in one way", "[identity]") {
  using K = FederationKind;
  const auto fits = [](K kind) {
    return std::tuple(grant_fits(kind, Grant::client_credentials, false),
                      grant_fits(kind, Grant::client_credentials, true),
                      grant_fits(kind, Grant::jwt_bearer, false));
  };
  CHECK(fits(K::oidc_cc) == std::tuple(true, false, false));
  CHECK(fits(K::api_token) == std::tuple(false, true, false));
  CHECK(fits(K::spiffe_svid) == std::tuple(false, false, true));
  for (const K kind : {K::oidc_cc, K::spiffe_svid, K::api_token}) {
    CHECK(federation_kind(text_of(kind)) == kind);
  }
  CHECK_FALSE(federation_kind("saml"));
  CHECK(grant_of("client_credentials") == Grant::client_credentials);
  CHECK_FALSE(grant_of("password"));
}

TEST_CASE("claims hold for their time, their audience and their trust domain", "[identity]") {
  const WholeSeconds now{1'800'000'000};
  const Claims good{"spiffe://example.org/web", {"other", "plexsphere"}, now + 60s, now, now};
  const auto refused = [&](Claims claims) {
    return refuse_claims(claims, "plexsphere", "example.org", now).has_value();
  };
  CHECK_FALSE(refused(good));
  auto with = [&](auto change) {
    Claims out = good;
    change(out);
    return out;
  };
  CHECK(refused(with([&](Claims& c) { c.expires_at = now; })));
  CHECK(refused(with([&](Claims& c) { c.not_before = now + 61s; })));
  CHECK_FALSE(refused(with([&](Claims& c) { c.not_before = now + 60s; })));
  CHECK(refused(with([&](Claims& c) { c.issued_at = now + 61s; })));
  CHECK(refused(with([](Claims& c) { c.audience = {"plexsphere2"}; })));
  CHECK(refused(with([](Claims& c) { c.audience = {}; })));
  CHECK(refused(with([](Claims& c) { c.subject = "spiffe://example.com/web"; })));
  CHECK(refused(with([](Claims& c) { c.subject = "web"; })));
}
