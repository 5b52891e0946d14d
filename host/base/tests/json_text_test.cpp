#include "host/base/json_text.hpp"

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <random>

namespace plexsphere::host {
namespace {

std::string json_string(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

template <typename Number>
std::string number(Number value) {
  std::string out;
  append_json_number(out, value);
  return out;
}

std::string document(const std::string& text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

TEST_CASE("a JSON string is escaped as RFC 8259 asks", "[base]") {
  CHECK(json_string("") == "\"\"");
  CHECK(json_string("a\"b\\c/") == R"("a\"b\\c/")");
  CHECK(json_string("\b\f\n\r\t") == R"("\b\f\n\r\t")");
  CHECK(json_string(std::string_view("\0\x1f\x7f", 3)) == "\"\\u0000\\u001f\x7f\"");
  CHECK(json_string("Gr\xC3\xBC\xC3\x9F"
                    "e \xF0\x9F\x90\x9F") ==
        "\"Gr\xC3\xBC\xC3\x9F"
        "e \xF0\x9F\x90\x9F\"");
}

TEST_CASE("each maximal part that is no UTF-8 becomes one replacement character", "[base]") {
  const std::string r = "\xEF\xBF\xBD";
  CHECK(json_string("\xFF") == "\"" + r + "\"");
  CHECK(json_string("\xC0\x80") == "\"" + r + r + "\"");
  CHECK(json_string("\xE2\x82x") == "\"" + r + "x\"");
  CHECK(json_string("\xED\xA0\x80") == "\"" + r + r + r + "\"");
  CHECK(json_string("\xF0\x9F\x90") == "\"" + r + "\"");
  CHECK(json_string("\xF4\x90\x80\x80") == "\"" + r + r + r + r + "\"");
}

TEST_CASE("any bytes come out as a JSON document would write them", "[base]") {
  std::mt19937 random(7);  // NOLINT: the same bytes every time
  const std::string_view kinds("\x80\xBF\xC2\xE0\xED\xF0\xF4\xFF\x9F\xA0 a\"\\\n\x01", 16);
  for (int i = 0; i < 20'000; ++i) {
    std::string text(random() % 12, ' ');
    for (char& c : text) {
      c = i % 2 == 0 ? kinds[random() % kinds.size()] : static_cast<char>(random() % 256);
    }
    REQUIRE(json_string(text) == document(text));
  }
}

TEST_CASE("numbers read back as what they were", "[base]") {
  CHECK(number(std::numeric_limits<std::int64_t>::min()) == "-9223372036854775808");
  CHECK(number(std::numeric_limits<double>::infinity()) == "null");
  CHECK(number(std::nan("")) == "null");
  for (const double value : {0.0, 0.1, 1.5, -2.25e-9, 1e300, 123456.789}) {
    CHECK(nlohmann::json::parse(number(value)).get<double>() == value);
  }
}

}  // namespace
}  // namespace plexsphere::host
