#include "domain/residency.hpp"

#include <catch2/catch.hpp>
#include <string>

#include "domain/text.hpp"

namespace plexsphere::audit {
namespace {

using Ids = std::vector<std::string>;

TEST_CASE("a decision lives where its object does, in every Domain that owns it", "[audit]") {
  CHECK(chains_of<std::string>({"project", {"d2", "d1", "d2"}, "home", false}, "platform") ==
        Ids{"d1", "d2"});
}

TEST_CASE("without an owner it lives with its subject", "[audit]") {
  CHECK(chains_of<std::string>({"group", {}, "home", false}, "platform") == Ids{"home"});
  CHECK(chains_of<std::string>({"group", {}, "", true}, "platform") == Ids{"platform"});
}

TEST_CASE("objects of the platform live there whoever asks", "[audit]") {
  CHECK(chains_of<std::string>({"platform", {}, "home", false}, "platform") == Ids{"platform"});
}

TEST_CASE("what belongs nowhere is unresolved, not the platform's", "[audit]") {
  CHECK(chains_of<std::string>({"project", {}, "", false}, "platform").empty());
}

TEST_CASE("broken text is repaired byte by byte", "[audit]") {
  CHECK(clean_text("sound é€😀") == "sound é€😀");
  CHECK(clean_text(std::string_view("a\0b", 3)) ==
        "a\xEF\xBF\xBD"
        "b");
  CHECK(clean_text("\xC3(") == "\xEF\xBF\xBD(");
  CHECK(clean_text("\xED\xA0\x80") == "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");  // a surrogate
  CHECK(clean_text("\xC0\xAF") == "\xEF\xBF\xBD\xEF\xBF\xBD");                  // overlong
  CHECK(clean_text("\xF0\x9F\x98") == "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
}

TEST_CASE("text is cut between characters", "[audit]") {
  CHECK(clean_prefix("abc", 5) == "abc");
  CHECK(clean_prefix("abcdef", 5) == "abcde");
  CHECK(clean_prefix("abc€", 5) == "abc");
  CHECK(clean_prefix("ab€x", 5) == "ab€");
}

}  // namespace
}  // namespace plexsphere::audit
