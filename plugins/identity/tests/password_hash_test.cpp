#include "app/password_hash.hpp"

#include <catch2/catch.hpp>

namespace plexsphere::identity {
namespace {

TEST_CASE("a hash is an Argon2id PHC string at the configured cost", "[identity]") {
  const auto stored = PasswordHash(19'456, 2).hash("psb_dev_secret");
  REQUIRE(stored.ok());
  CHECK(stored.value().rfind("$argon2id$v=19$m=19456,t=2,p=1$", 0) == 0);
  CHECK(PasswordHash::verify(stored.value(), "psb_dev_secret"));
  CHECK_FALSE(PasswordHash::verify(stored.value(), "psb_dev_secreT"));
}

TEST_CASE("a hash is salted, and made at another cost it still verifies", "[identity]") {
  const PasswordHash cheap(8, 1);
  const auto first = cheap.hash("secret");
  const auto second = cheap.hash("secret");
  REQUIRE(first.ok());
  REQUIRE(second.ok());
  CHECK(first.value() != second.value());
  CHECK(PasswordHash::verify(first.value(), "secret"));
}

TEST_CASE("what is no hash verifies nothing", "[identity]") {
  CHECK_FALSE(PasswordHash::verify("", ""));
  CHECK_FALSE(PasswordHash::verify("$argon2id$", "secret"));
}

}  // namespace
}  // namespace plexsphere::identity
