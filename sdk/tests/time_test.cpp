#include "plexsphere/sdk/time.hpp"

#include <catch2/catch.hpp>

using namespace plexsphere::sdk;

TEST_CASE("instants are written with the shortest fraction", "[sdk]") {
  const Instant whole = *parse_rfc3339("2026-01-15T10:30:00Z");
  CHECK(rfc3339(whole) == "2026-01-15T10:30:00Z");
  CHECK(rfc3339(whole + std::chrono::microseconds(120000)) == "2026-01-15T10:30:00.12Z");
  CHECK(rfc3339(whole + std::chrono::microseconds(1)) == "2026-01-15T10:30:00.000001Z");
  CHECK(rfc3339(instant_from_us(-1)) == "1969-12-31T23:59:59.999999Z");
}

TEST_CASE("RFC 3339 is read with any offset and any fraction", "[sdk]") {
  CHECK(parse_rfc3339("2026-01-15T12:30:00+02:00") == parse_rfc3339("2026-01-15T10:30:00Z"));
  CHECK(parse_rfc3339("2026-01-15t10:30:00.1200000009z") ==
        parse_rfc3339("2026-01-15T10:30:00.12Z"));
  CHECK(parse_rfc3339("2024-02-29T23:59:60Z") == parse_rfc3339("2024-03-01T00:00:00Z"));
}

TEST_CASE("what is not RFC 3339 is refused", "[sdk]") {
  for (const char* text :
       {"", "2026-01-15", "2026-01-15T10:30:00", "2026-01-15 10:30:00Z", "2026-13-15T10:30:00Z",
        "2026-02-29T10:30:00Z", "2026-01-15T24:30:00Z", "2026-01-15T10:30:00.Z",
        "2026-01-15T10:30:00+0200", "2026-01-15T10:30:00+24:00", "2026-01-15T10:30:00Zx",
        "26-01-15T10:30:00Z"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_rfc3339(text));
  }
}
