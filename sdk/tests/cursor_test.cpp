#include "plexsphere/sdk/cursor.hpp"

#include <catch2/catch.hpp>

#include "plexsphere/sdk/problems.hpp"

namespace sdk = plexsphere::sdk;

namespace {

sdk::Secret key_of(char fill) {
  auto* bytes = new std::string(32, fill);
  px_secret wire{sizeof(px_secret),
                 0,
                 bytes,
                 {reinterpret_cast<const uint8_t*>(bytes->data()), bytes->size()},
                 [](void* self) { delete static_cast<std::string*>(self); }};
  return sdk::Secret(wire);
}

}  // namespace

TEST_CASE("a cursor comes back as the payload it was made of", "[sdk][cursor]") {
  const sdk::CursorCodec codec(key_of('k'));
  const std::string payload("acme\0\xff", 6);
  const std::string cursor = codec.encode({"domains", "user:a"}, payload);
  const auto back = codec.decode({"domains", "user:a"}, cursor);
  REQUIRE(back.ok());
  CHECK(*back == payload);
  CHECK(codec.encode({"domains", "user:a"}, payload) == cursor);
}

TEST_CASE("another caller's cursor is a binding mismatch, another list's is invalid",
          "[sdk][cursor]") {
  const sdk::CursorCodec codec(key_of('k'));
  const std::string cursor = codec.encode({"domains", "user:a"}, "acme");
  const auto foreign = codec.decode({"domains", "user:b"}, cursor);
  CHECK(foreign.error().reason == "cursor_binding_mismatch");
  CHECK(sdk::paging_problem(foreign.error()).status == 403);
  const auto other_list = codec.decode({"projects", "user:a"}, cursor);
  CHECK(other_list.error().reason == "invalid_cursor");
  CHECK(sdk::paging_problem(other_list.error()).status == 400);
}

TEST_CASE("every altered bit of a cursor makes it invalid", "[sdk][cursor]") {
  const sdk::CursorCodec codec(key_of('k'));
  const sdk::CursorScope scope{"domains", "user:a"};
  const std::string raw = *sdk::base64url_decode(codec.encode(scope, "acme"));
  for (std::size_t bit = 0; bit < raw.size() * 8; ++bit) {
    std::string altered = raw;
    altered[bit / 8] = static_cast<char>(altered[bit / 8] ^ (1 << (bit % 8)));
    const auto read = codec.decode(scope, sdk::base64url_encode(altered));
    REQUIRE_FALSE(read.ok());
    CHECK(read.error().reason == "invalid_cursor");
  }
}

TEST_CASE("text that never was a cursor, and another deployment's cursor, are invalid",
          "[sdk][cursor]") {
  const sdk::CursorCodec codec(key_of('k'));
  const sdk::CursorScope scope{"domains"};
  const std::string elsewhere = sdk::CursorCodec(key_of('x')).encode(scope, "acme");
  const std::string good = codec.encode(scope, "acme");
  for (const std::string& text : {std::string(), std::string("!"), std::string(4000, 'A'),
                                  good + "=", good.substr(1), elsewhere}) {
    CHECK(codec.decode(scope, text).error().reason == "invalid_cursor");
  }
}

TEST_CASE("an empty or too long payload, or a codec without a key, yields no cursor",
          "[sdk][cursor]") {
  const sdk::CursorCodec codec(key_of('k'));
  CHECK(codec.encode({"l"}, "").empty());
  CHECK(codec.encode({"l"}, std::string(513, 'a')).empty());
  CHECK_FALSE(codec.encode({"l"}, std::string(512, 'a')).empty());
  CHECK(sdk::CursorCodec().encode({"l"}, "a").empty());
  CHECK_FALSE(sdk::CursorCodec().decode({"l"}, codec.encode({"l"}, "a")).ok());
}

TEST_CASE("a limit is 1 to 200, 50 when absent, and never clamped", "[sdk][cursor]") {
  CHECK(*sdk::parse_limit(std::nullopt) == 50);
  CHECK(*sdk::parse_limit("1") == 1);
  CHECK(*sdk::parse_limit("200") == 200);
  for (const char* text :
       {"", "0", "201", "-1", "+1", "1.0", " 1", "0050", "99999999999999999999"}) {
    CHECK(sdk::parse_limit(text).error().reason == "invalid_limit");
  }
}

TEST_CASE("store failures become one outage answer, an unknown outcome says so",
          "[sdk][problems]") {
  using sdk::Code;
  for (const Code code : {Code::unavailable, Code::resource_exhausted, Code::deadline_exceeded,
                          Code::aborted, Code::unknown}) {
    const auto problem = sdk::store_problem({code, "why", "the password is hunter2"});
    CHECK(problem.status == 503);
    CHECK(problem.code == "datastore_unavailable");
    CHECK(problem.headers == sdk::Headers{{"Retry-After", "1"}});
    CHECK(problem.detail.find("hunter2") == std::string::npos);
  }
  CHECK(sdk::store_problem({Code::unknown, "", ""}).detail.find("unknown") != std::string::npos);
  CHECK(sdk::store_problem({Code::internal, "", ""}).status == 500);
}
