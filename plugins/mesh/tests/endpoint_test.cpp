#include <catch2/catch.hpp>

#include "domain/endpoint.hpp"
#include "domain/ip_address.hpp"
#include "http/intake_requests.hpp"

using namespace plexsphere::mesh;
using namespace std::chrono_literals;

namespace {

constexpr Time kNoon{std::chrono::seconds(1'800'014'400)};  // 2027-01-15T12:00:00Z

std::string stored(const std::string& text) {
  return canonical_endpoint(text).value_or("refused");
}

std::string v6(const std::string& text) {
  const auto address = IpAddress::parse_v6(text);
  return address ? address->text() : "refused";
}

}  // namespace

TEST_CASE("an endpoint is stored in one form, whatever it was written like", "[mesh][endpoint]") {
  CHECK(stored("203.0.113.9:51820") == "203.0.113.9:51820");
  CHECK(stored("10.0.0.1:1") == "10.0.0.1:1");
  CHECK(stored("[2001:DB8:0:0:0:0:0:1]:65535") == "[2001:db8::1]:65535");
  CHECK(stored("[::ffff:203.0.113.9]:51820") == "203.0.113.9:51820");
  CHECK(stored("[::ffff:cb00:7109]:51820") == "203.0.113.9:51820");
  CHECK(stored("[64:ff9b::203.0.113.9]:51820") == "[64:ff9b::cb00:7109]:51820");
}

TEST_CASE("what is not address:port is no endpoint", "[mesh][endpoint]") {
  for (const std::string text : {"",
                                 ":",
                                 "203.0.113.9",
                                 "203.0.113.9:",
                                 ":51820",
                                 "203.0.113.9:0",
                                 "203.0.113.9:65536",
                                 "203.0.113.9:051820",
                                 "203.0.113.9:+1",
                                 "203.0.113.9:1 ",
                                 " 203.0.113.9:1",
                                 "203.0.113.9:99999999999",
                                 "203.0.113.09:1",
                                 "203.0.113:1",
                                 "203.0.113.256:1",
                                 "2001:db8::1:51820",
                                 "2001:db8::1",
                                 "[2001:db8::1]",
                                 "[2001:db8::1]51820",
                                 "[2001:db8::1",
                                 "[203.0.113.9]:1",
                                 "[2001:db8::1%eth0]:1",
                                 "[2001:db8:::1]:1",
                                 "[1:2:3:4:5:6:7]:1",
                                 "[1:2:3:4:5:6:7::8:9]:1",
                                 "[12345::]:1",
                                 "[g::]:1",
                                 "[]:1",
                                 "edge.example.com:51820",
                                 "localhost:51820",
                                 "203.0.113.9:1:2"}) {
    CAPTURE(text);
    CHECK(stored(text) == "refused");
  }
}

TEST_CASE("an address that another Node cannot reach is no endpoint, in any spelling",
          "[mesh][endpoint]") {
  for (const std::string text :
       {"0.0.0.0:1", "0.1.2.3:1", "127.0.0.1:1", "127.255.0.3:1", "169.254.9.9:1", "224.0.0.1:1",
        "240.0.0.1:1", "255.255.255.255:1", "[::]:1", "[::1]:1", "[fe80::1]:1", "[febf::1]:1",
        "[ff02::1]:1", "[::ffff:0.0.0.0]:1", "[::ffff:127.0.0.1]:1", "[::ffff:7f00:1]:1",
        "[0:0:0:0:0:ffff:a9fe:1]:1", "[::127.0.0.1]:1", "[::203.0.113.9]:1"}) {
    CAPTURE(text);
    CHECK(stored(text) == "refused");
  }
  CHECK(stored("169.253.9.9:1") != "refused");
  CHECK(stored("[fec0::1]:1") != "refused");
  CHECK(stored("[fd00::1]:1") == "[fd00::1]:1");
}

TEST_CASE("IPv6 text follows RFC 5952", "[mesh][endpoint]") {
  CHECK(v6("2001:0db8:0:0:1:0:0:1") == "2001:db8::1:0:0:1");  // the first of two equal runs
  CHECK(v6("2001:db8:0:1:1:1:1:1") == "2001:db8:0:1:1:1:1:1");
  CHECK(v6("1:0:0:2:0:0:0:3") == "1:0:0:2::3");
  CHECK(v6("1:2:3:4:5:6:0:0") == "1:2:3:4:5:6::");
  CHECK(v6("::") == "::");
  CHECK(v6("::2") == "::2");
  CHECK(v6("1:2:3:4:5:6:1.2.3.4") == "1:2:3:4:5:6:102:304");
  CHECK(v6("1.2.3.4::") == "refused");
}

TEST_CASE("an observation is at most a minute off, and what is older than the TTL says so",
          "[mesh][endpoint]") {
  const auto fault = [](std::chrono::seconds offset, std::chrono::seconds ttl = 300s) {
    return judge_freshness(kNoon + offset, kNoon, ttl);
  };
  CHECK_FALSE(fault(0s));
  CHECK_FALSE(fault(60s));
  CHECK_FALSE(fault(-60s));
  CHECK_FALSE(fault(-60s, 60s));
  CHECK(fault(61s) == FreshnessFault::clock_skew);
  CHECK(fault(-61s) == FreshnessFault::clock_skew);
  CHECK(fault(-300s) == FreshnessFault::clock_skew);
  CHECK(fault(-301s) == FreshnessFault::older_than_ttl);
  CHECK(fault(-61s, 60s) == FreshnessFault::older_than_ttl);
}

TEST_CASE("an endpoint's body has the contract's members and nothing else", "[mesh][endpoint]") {
  const auto refusal = [](const std::string& text) {
    const auto read = read_endpoint(text);
    return read.ok() ? "accepted" : read.error().reason + ": " + read.error().detail;
  };
  const auto body = [](const std::string& nat, const std::string& more = "") {
    return R"({"endpoint":"203.0.113.9:1","nat_type":")" + nat +
           R"(","reported_at":"2027-01-15T12:00:00Z")" + more + "}";
  };
  for (const std::string nat :
       {"full_cone", "restricted", "port_restricted", "symmetric", "unknown"}) {
    CHECK(refusal(body(nat)) == "accepted");
  }
  const auto read = read_endpoint(body("symmetric"));
  CHECK(read->endpoint == "203.0.113.9:1");
  CHECK(read->nat_type == "symmetric");
  CHECK(read->reported_at == kNoon);
  CHECK_THAT(refusal(body("open")), Catch::Contains("malformed_endpoint_request: ") &&
                                        Catch::Contains("\"nat_type\" must be"));
  CHECK_THAT(refusal(body("unknown", R"(,"ttl":1)")), Catch::Contains("\"ttl\" is not a member"));
  CHECK_THAT(refusal("{"), Catch::StartsWith("malformed_endpoint_request: "));
  CHECK_THAT(refusal("{}"), Catch::Contains("\"endpoint\" is missing"));
}
