#include <catch2/catch.hpp>
#include <set>

#include "host/base/file.hpp"
#include "host/base/uuid.hpp"
#include "support/temp_dir.hpp"

namespace plexsphere::host {
namespace {

TEST_CASE("a UUIDv7 carries its version and variant and sorts by time", "[base]") {
  std::set<std::string> seen;
  std::string last_prefix;
  for (int i = 0; i < 1000; ++i) {
    const std::string text = make_uuid7_text();
    REQUIRE(text.size() == 36);
    CHECK(text[14] == '7');
    CHECK(std::string("89ab").find(text[19]) != std::string::npos);
    CHECK(text.substr(0, 13) >= last_prefix);
    last_prefix = text.substr(0, 13);
    CHECK(to_text(*parse_uuid(text)) == text);
    seen.insert(text);
  }
  CHECK(seen.size() == 1000);
}

TEST_CASE("only the 8-4-4-4-12 form is a UUID", "[base]") {
  CHECK(parse_uuid("00000000-0000-0000-0000-000000000000").has_value());
  CHECK(is_nil(*parse_uuid("00000000-0000-0000-0000-000000000000")));
  CHECK(parse_uuid("0198F000-0000-7000-8000-00000000000A").has_value());
  for (const char* bad :
       {"", "0198f000", "0198f00000007000800000000000000a----",
        "0198f000-0000-7000-8000-00000000000g", "0198f000-0000-7000-8000-00000000000a ",
        "0198f000_0000_7000_8000_00000000000a"}) {
    CHECK_FALSE(parse_uuid(bad).has_value());
  }
}

TEST_CASE("an atomic write replaces the file and leaves nothing beside it", "[base]") {
  const test_support::TempDir directory;
  const std::string path = directory.path() / "addr";
  REQUIRE(write_file_atomically(path, "first").ok());
  REQUIRE(write_file_atomically(path, "second").ok());
  CHECK(test_support::read_file(path) == "second");
  const std::filesystem::directory_iterator all(directory.path());
  CHECK(std::distance(begin(all), end(all)) == 1);
  CHECK_FALSE(write_file_atomically(directory.path() / "absent" / "addr", "x").ok());
}

}  // namespace
}  // namespace plexsphere::host
