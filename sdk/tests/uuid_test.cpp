#include "plexsphere/sdk/uuid.hpp"

#include <catch2/catch.hpp>

using plexsphere::sdk::Uuid;

TEST_CASE("a UUID reads its own text back, in either case", "[sdk]") {
  const auto id = Uuid::parse("0197c0de-1111-7222-8333-444455556666");
  REQUIRE(id);
  CHECK(id->text() == "0197c0de-1111-7222-8333-444455556666");
  CHECK(Uuid::parse("0197C0DE-1111-7222-8333-444455556666") == id);
  CHECK(Uuid::from_bytes(id->bytes()) == id);
  CHECK(Uuid(id->wire()) == *id);
}

TEST_CASE("text that is not exactly a UUID is refused", "[sdk]") {
  CHECK_FALSE(Uuid::parse(""));
  CHECK_FALSE(Uuid::parse("0197c0de11117222833344445555666"));
  CHECK_FALSE(Uuid::parse("0197c0de-1111-7222-8333-44445555666"));
  CHECK_FALSE(Uuid::parse("0197c0de-1111-7222-8333-44445555666g"));
  CHECK_FALSE(Uuid::parse("0197c0de-1111-7222-83334-44455556666"));
  CHECK_FALSE(Uuid::parse("{197c0de-1111-7222-8333-444455556666}"));
}

TEST_CASE("version 7 ids carry their time, version and variant, and do not repeat", "[sdk]") {
  const Uuid id = Uuid::v7(0x0123456789ab);
  CHECK(id.text().substr(0, 13) == "01234567-89ab");
  CHECK(id.text()[14] == '7');
  CHECK(std::string_view("89ab").find(id.text()[19]) != std::string_view::npos);
  CHECK(Uuid::v7(1) != Uuid::v7(1));
  CHECK(Uuid::v7(1) < Uuid::v7(2));
  CHECK_FALSE(id.is_zero());
  CHECK(Uuid().is_zero());
}
