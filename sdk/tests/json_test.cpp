#include "plexsphere/sdk/json.hpp"

#include <catch2/catch.hpp>

using namespace plexsphere::sdk;

TEST_CASE("a body that another parser might read differently is refused", "[sdk]") {
  CHECK(parse_json(R"({"a":1,"b":{"a":2}})").ok());
  CHECK_FALSE(parse_json(R"({"a":1,"a":2})").ok());
  CHECK_FALSE(parse_json(R"({"x":{"a":1,"a":2}})").ok());
  CHECK_FALSE(parse_json("{\"a\":1} x").ok());
  CHECK_FALSE(parse_json("").ok());
  CHECK_FALSE(parse_json("{\"a\":\"\xff\"}").ok());
  CHECK_FALSE(parse_json(std::string(40, '[') + std::string(40, ']')).ok());
}

TEST_CASE("a reader names the first fault and every stranger", "[sdk]") {
  const Json object =
      *parse_json(R"({"name":"ä","ttl":300,"id":"0197c0de-1111-7222-8333-444455556666"})");
  BodyReader good(object);
  CHECK(good.text("name", 1, 1) == "ä");
  CHECK(good.integer("ttl", 300, 86400) == 300);
  CHECK_FALSE(good.uuid("id").is_zero());
  CHECK_FALSE(good.optional_text("absent", 0, 1));
  CHECK_FALSE(good.fault());

  BodyReader unknown(object);
  unknown.text("name", 1, 5);
  CHECK(unknown.fault()->find("is not a member") != std::string::npos);

  BodyReader bounds(object);
  bounds.integer("ttl", 301, 86400);
  bounds.text("absent", 0, 1);
  CHECK(bounds.fault() == "\"ttl\" must be an integer from 301 to 86400");

  const Json array = Json::array();
  BodyReader wrong(array);
  CHECK(wrong.text("name", 0, 1).empty());
  CHECK(wrong.fault() == "the body must be a JSON object");
}

TEST_CASE("numbers that would not fit or are not whole are refused", "[sdk]") {
  for (const char* text : {R"({"n":1.5})", R"({"n":18446744073709551615})", R"({"n":"1"})",
                           R"({"n":null})", R"({"n":true})"}) {
    CAPTURE(text);
    const Json object = *parse_json(text);
    BodyReader body(object);
    body.integer("n", INT64_MIN, INT64_MAX);
    CHECK(body.fault());
  }
}
