#include "app/bearer_text.hpp"

#include <sodium.h>

#include <catch2/catch.hpp>

using namespace plexsphere;
using namespace plexsphere::identity;

TEST_CASE("a minted bearer presents its id and its secret's digest", "[identity]") {
  const auto id = sdk::Uuid::v7(1'800'000'000'000);
  const auto api = mint_api_token("prod", id);
  const auto presented = present_bearer(api.plaintext.view());
  REQUIRE(presented);
  CHECK(presented->kind == BearerKind::api_token);
  CHECK(presented->id == id);
  CHECK(presented->env == "prod");
  CHECK(presented->secret_sha256 == api.secret_sha256);

  const auto access = mint_access_token(id);
  const auto again = present_bearer(access.plaintext.view());
  REQUIRE(again);
  CHECK(again->kind == BearerKind::access_token);
  CHECK(again->id == id);
  CHECK(again->env.empty());
  CHECK(again->secret_sha256 == access.secret_sha256);
  CHECK(access.secret_sha256 != api.secret_sha256);
}

TEST_CASE("what is no bearer presents nothing", "[identity]") {
  const auto id = sdk::Uuid::v7(1'800'000'000'000);
  const std::string good(mint_access_token(id).plaintext.view());
  CHECK(present_bearer(good));
  CHECK_FALSE(present_bearer(good.substr(0, good.size() - 1)));
  CHECK_FALSE(present_bearer(good + "a"));
  CHECK_FALSE(present_bearer(good + "_a"));
  for (const char* wrong : {"", "svc_", "svc__", "svc_a", "svc_a_b", "psk_dev_a_b", "bearer",
                            "nsk_plexd_abc", "psk__a_b", "psk_DEV_a_b"}) {
    CHECK_FALSE(present_bearer(wrong));
  }
}
