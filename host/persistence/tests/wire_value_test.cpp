#include <catch2/catch.hpp>

#include <string>
#include <vector>

#include "host/persistence/store_error.hpp"
#include "host/persistence/wire_value.hpp"

namespace plexsphere::host::persistence {
namespace {

px_value text(std::string_view value) {
  px_value out{};
  out.type = PX_TYPE_TEXT;
  out.v.text = {value.data(), value.size()};
  return out;
}

px_value timestamp(std::int64_t value) {
  px_value out{};
  out.type = PX_TYPE_TIMESTAMP;
  out.v.integer = value;
  return out;
}

TEST_CASE("text with a NUL byte is refused instead of cut", "[persistence]") {
  try {
    (void)encode_parameter(text(std::string_view{"a\0b", 3}), PX_TYPE_TEXT);
    FAIL("the NUL passed");
  } catch (const StoreError& error) {
    CHECK(error.status() == PX_INVALID_ARGUMENT);
    CHECK(error.reason() == "text_contains_nul");
  }
}

TEST_CASE("bytes travel whole, NULs included", "[persistence]") {
  const std::vector<std::uint8_t> bytes{0x00, 0xff, 0x00, 0x5c};
  px_value value{};
  value.type = PX_TYPE_BYTES;
  value.v.bytes = {bytes.data(), bytes.size()};
  const auto encoded = encode_parameter(value, PX_TYPE_BYTES);
  CHECK(encoded == "\\x00ff005c");
  Arena arena;
  const px_value decoded = decode_cell(*encoded, PX_TYPE_BYTES, arena);
  CHECK(std::vector<std::uint8_t>(decoded.v.bytes.ptr, decoded.v.bytes.ptr + decoded.v.bytes.len) ==
        bytes);
}

TEST_CASE("timestamps keep their microseconds on both sides of 1970", "[persistence]") {
  CHECK(timestamp_text(0) == "1970-01-01 00:00:00.000000+00");
  CHECK(timestamp_text(-1) == "1969-12-31 23:59:59.999999+00");
  CHECK(timestamp_text(1767323045678901) == "2026-01-02 03:04:05.678901+00");
  Arena arena;
  const auto read = [&](std::string_view value) {
    return decode_cell(value, PX_TYPE_TIMESTAMP, arena).v.integer;
  };
  CHECK(read("2026-01-02 03:04:05.678901+00") == 1767323045678901);
  CHECK(read("2026-01-02 03:04:05.5+00") == 1767323045500000);
  CHECK(read("1969-12-31 23:59:59+00") == -1000000);
  CHECK(read("infinity") == kTimestampInfinity);
  CHECK_THROWS_AS(read("2026-01-02"), StoreError);
  CHECK_THROWS_AS(encode_parameter(timestamp(INT64_MAX - 1), PX_TYPE_TIMESTAMP), StoreError);
}

TEST_CASE("arrays survive quotes, backslashes, commas, braces, nulls and NULL", "[persistence]") {
  const std::vector<std::string> words{"plain", "with \"quotes\"", "back\\slash", "a,b", "{}", "",
                                       "NULL"};
  std::vector<px_value> items;
  for (const auto& word : words) {
    items.push_back(text(word));
  }
  items.push_back(null_value(PX_TYPE_TEXT));
  px_value array{};
  array.type = PX_TYPE_ARRAY + PX_TYPE_TEXT;
  array.v.array = {items.data(), items.size()};
  const auto encoded = encode_parameter(array, array.type);
  Arena arena;
  const px_array decoded = decode_cell(*encoded, array.type, arena).v.array;
  REQUIRE(decoded.count == items.size());
  for (std::size_t i = 0; i < words.size(); ++i) {
    CHECK(std::string(decoded.items[i].v.text.ptr, decoded.items[i].v.text.len) == words[i]);
  }
  CHECK(decoded.items[words.size()].is_null == 1);
}

TEST_CASE("arrays as the server writes them are read", "[persistence]") {
  Arena arena;
  const px_array numbers = decode_cell("{1,-2,NULL}", PX_TYPE_ARRAY + PX_TYPE_INT64, arena).v.array;
  REQUIRE(numbers.count == 3);
  CHECK(numbers.items[1].v.integer == -2);
  CHECK(numbers.items[2].is_null == 1);
  CHECK(decode_cell("{}", PX_TYPE_ARRAY + PX_TYPE_INT64, arena).v.array.count == 0);
  CHECK_THROWS_AS(decode_cell("{{1},{2}}", PX_TYPE_ARRAY + PX_TYPE_INT64, arena), StoreError);
  CHECK_THROWS_AS(decode_cell("{1", PX_TYPE_ARRAY + PX_TYPE_INT64, arena), StoreError);
}

TEST_CASE("a parameter of another type than declared is refused", "[persistence]") {
  CHECK_THROWS_AS(encode_parameter(text("7"), PX_TYPE_INT64), StoreError);
  CHECK(encode_parameter(text("{}"), PX_TYPE_JSON) == "{}");
  CHECK(encode_parameter(null_value(PX_TYPE_TEXT), PX_TYPE_UUID) == std::nullopt);
  CHECK_FALSE(is_wire_type(PX_TYPE_ARRAY + PX_TYPE_JSON));
  CHECK_FALSE(is_wire_type(0));
}

}  // namespace
}  // namespace plexsphere::host::persistence
