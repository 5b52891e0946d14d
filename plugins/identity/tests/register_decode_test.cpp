#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "http/register_route.hpp"

namespace plexsphere::identity {
namespace {

using nlohmann::json;

json valid() {
  return {{"project_id", "0197c0de-1111-7222-8333-444455556666"},
          {"resource_handle", "vm-1"},
          {"bootstrap_token", "psb_dev_x"},
          {"nonce", "n"},
          {"public_key", "k"}};
}

int status_of(const json& body) {
  const auto decoded = detail::decode_register(body.dump());
  return decoded.refused ? decoded.refused->status : 0;
}

TEST_CASE("a complete registration decodes, and members nobody asked for are tolerated",
          "[identity]") {
  json body = valid();
  body["requested_resource_id"] = "";
  body["hostname"] = "old agents send this";
  const auto decoded = detail::decode_register(body.dump());
  REQUIRE_FALSE(decoded.refused);
  CHECK(decoded.command.project_id.text() == "0197c0de-1111-7222-8333-444455556666");
  CHECK(decoded.command.resource_handle == "vm-1");
  CHECK(decoded.command.bootstrap_token.view() == "psb_dev_x");
  CHECK(decoded.command.requested_resource_id.empty());
}

TEST_CASE("what is no JSON object is 400 invalid_body", "[identity]") {
  for (const char* body :
       {"", "{", "nonsense", "[]", "\"x\"", "{\"nonce\":\"a\",\"nonce\":\"b\"}"}) {
    const auto decoded = detail::decode_register(body);
    REQUIRE(decoded.refused);
    CHECK(decoded.refused->status == 400);
    CHECK(decoded.refused->code == "invalid_body");
  }
}

TEST_CASE("a field outside its bounds is 422 invariant_violation", "[identity]") {
  for (const char* field :
       {"project_id", "resource_handle", "bootstrap_token", "nonce", "public_key"}) {
    json missing = valid();
    missing.erase(field);
    CHECK(status_of(missing) == 422);
    json wrong = valid();
    wrong[field] = 7;
    CHECK(status_of(wrong) == 422);
  }
  for (const char* field : {"resource_handle", "bootstrap_token", "nonce"}) {
    json empty = valid();
    empty[field] = "";
    CHECK(status_of(empty) == 422);
    json longest = valid();
    longest[field] = std::string(4096, 'x');
    CHECK(status_of(longest) == 0);
    json over = valid();
    over[field] = std::string(4097, 'x');
    CHECK(status_of(over) == 422);
  }
  json zero = valid();
  zero["project_id"] = "00000000-0000-0000-0000-000000000000";
  CHECK(status_of(zero) == 422);
}

TEST_CASE("a refusal never repeats the token", "[identity]") {
  json body = valid();
  body["bootstrap_token"] = "psb_dev_verysecret" + std::string(4096, 'x');
  const auto decoded = detail::decode_register(body.dump());
  REQUIRE(decoded.refused);
  CHECK(decoded.refused->detail.find("verysecret") == std::string::npos);
}

}  // namespace
}  // namespace plexsphere::identity
