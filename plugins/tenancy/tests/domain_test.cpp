#include <catch2/catch.hpp>
#include <string>

#include "domain/cidr.hpp"
#include "domain/names.hpp"
#include "domain/reachability.hpp"

namespace plexsphere::tenancy {
namespace {

std::string canonical(const std::string& text) {
  const auto cidr = Cidr::parse(text);
  return cidr ? cidr->text() : "refused";
}

std::string judge(const std::string& heartbeat, const std::string& stale,
                  const std::string& unreachable) {
  const auto result = reachability_of({heartbeat, stale, unreachable});
  if (const auto* policy = std::get_if<Reachability>(&result)) {
    return duration_text(policy->heartbeat_interval) + "/" + duration_text(policy->stale_after) +
           "/" + duration_text(policy->unreachable_after);
  }
  return "refused";
}

}  // namespace

TEST_CASE("a mesh range is read in canonical form only", "[tenancy]") {
  CHECK(canonical("10.4.0.0/16") == "10.4.0.0/16");
  CHECK(canonical("0.0.0.0/0") == "0.0.0.0/0");
  CHECK(canonical("192.168.1.1/32") == "192.168.1.1/32");
  for (const char* text :
       {"10.4.0.1/16", "10.4.0.0", "10.4.0.0/33", "10.4.0.0/016", "010.4.0.0/16", "10.4.0/16",
        "10.4.0.0.0/16", "256.0.0.0/8", "10.4.0.0/", "10.4.0.0/-1", "10.4.0.0/16 ", "/16", "",
        "10..0.0/8", "10.4.0.0/16/16", "0x0a.0.0.0/8"}) {
    INFO(text);
    CHECK(canonical(text) == "refused");
  }
}

TEST_CASE("IPv6 ranges are accepted in any spelling and kept in RFC 5952's", "[tenancy]") {
  CHECK(canonical("fd00:4::/48") == "fd00:4::/48");
  CHECK(canonical("FD00:0004:0:0:0:0:0:0/48") == "fd00:4::/48");
  CHECK(canonical("::/0") == "::/0");
  CHECK(canonical("2001:db8:0:0:1:0:0:0/80") == "2001:db8:0:0:1::/80");
  CHECK(canonical("2001:0:0:1::/64") == "2001:0:0:1::/64");
  CHECK(canonical("2001:db8:0:1:1:1:1:1/128") == "2001:db8:0:1:1:1:1:1/128");
  CHECK(canonical("1:2:3:4:5:6:7::/112") == "1:2:3:4:5:6:7:0/112");
  for (const char* text :
       {"fd00::1/64", "fd00::/129", "fd00:::/48", "fd00::4::/48", "fd00:4/48", "g::/8",
        "1:2:3:4:5:6:7:8:9/128", "1:2:3:4:5:6:7:8::/128", "12345::/16", ":fd00::/16",
        "::10.0.0.0/104", "::ffff:a00:0/104", "::/96", "fd00::/64%eth0"}) {
    INFO(text);
    CHECK(canonical(text) == "refused");
  }
}

TEST_CASE("containment goes by prefix and never across families", "[tenancy]") {
  const auto holds = [](const char* outer, const char* inner) {
    return Cidr::parse(outer)->contains(*Cidr::parse(inner));
  };
  CHECK(holds("10.0.0.0/8", "10.4.0.0/16"));
  CHECK(holds("10.4.0.0/16", "10.4.0.0/16"));
  CHECK(holds("10.4.0.0/17", "10.4.127.0/24"));
  CHECK_FALSE(holds("10.4.0.0/17", "10.4.128.0/24"));
  CHECK_FALSE(holds("10.4.0.0/16", "10.0.0.0/8"));
  CHECK(holds("fd00::/8", "fd00:4::/48"));
  CHECK_FALSE(holds("::/0", "10.0.0.0/8"));
  CHECK_FALSE(holds("0.0.0.0/0", "fd00::/8"));
}

TEST_CASE("a slug is kebab case of at most 64", "[tenancy]") {
  for (const char* text : {"a", "acme", "acme-2", "0-0-0"}) {
    CHECK(is_slug(text));
  }
  CHECK(is_slug(std::string(64, 'a')));
  for (const char* text : {"", "-a", "a-", "a--b", "Acme", "a_b", "a b", "\xC3\xA4"}) {
    CHECK_FALSE(is_slug(text));
  }
  CHECK_FALSE(is_slug(std::string(65, 'a')));
}

TEST_CASE("white space in any script is blank", "[tenancy]") {
  CHECK(is_blank(""));
  CHECK(is_blank(" \t\n"));
  CHECK(is_blank("\xC2\xA0\xE3\x80\x80 "));
  CHECK_FALSE(is_blank(" a "));
  CHECK_FALSE(is_blank("\xE2\x80\x8B"));  // zero width space is no white space
}

TEST_CASE("durations are numbers with units, bounded", "[tenancy]") {
  using std::chrono::milliseconds;
  CHECK(parse_duration("30s") == milliseconds(30'000));
  CHECK(parse_duration("1m30s") == milliseconds(90'000));
  CHECK(parse_duration("1h") == milliseconds(3'600'000));
  CHECK(parse_duration("1500ms") == milliseconds(1'500));
  CHECK(parse_duration("0s") == milliseconds(0));
  for (const char* text : {"", "30", "s", "-30s", "1.5h", "30 s", "30S", "25h", "24h1ms",
                           "9999999999s", "999999999h"}) {
    INFO(text);
    CHECK_FALSE(parse_duration(text));
  }
  CHECK(duration_text(milliseconds(300'000)) == "300s");
  CHECK(duration_text(milliseconds(1'500)) == "1500ms");
}

TEST_CASE("an absent or zero policy is the default, a partial one is refused", "[tenancy]") {
  CHECK(judge("", "", "") == "30s/90s/300s");
  CHECK(judge("0s", "", "0s") == "30s/90s/300s");
  CHECK(judge("30s", "", "") == "refused");
  CHECK(judge("30s", "90s", "0s") == "refused");
  CHECK(judge("", "90s", "300s") == "refused");
}

TEST_CASE("a policy keeps its distances and bounds", "[tenancy]") {
  CHECK(judge("10s", "30s", "1m") == "10s/30s/60s");
  CHECK(judge("5m", "15m", "1h") == "300s/900s/3600s");
  CHECK(judge("9999ms", "30s", "1m") == "refused");
  CHECK(judge("10s", "29999ms", "1m") == "refused");
  CHECK(judge("10s", "30s", "59999ms") == "refused");
  CHECK(judge("10s", "30s", "3600001ms") == "refused");
  CHECK(judge("1h1s", "1h", "1h") == "refused");
  CHECK(judge("soon", "30s", "1m") == "refused");
}

}  // namespace plexsphere::tenancy
