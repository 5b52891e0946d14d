#include "host/http/ip_address.hpp"

#include <catch2/catch.hpp>

namespace plexsphere::host::http {
namespace {

TEST_CASE("networks contain their addresses and no others", "[http]") {
  const auto ten = *IpPrefix::parse("10.0.0.0/8");
  CHECK(ten.contains("10.255.1.2"));
  CHECK(ten.contains("::ffff:10.1.2.3"));
  CHECK_FALSE(ten.contains("11.0.0.1"));
  CHECK_FALSE(ten.contains("::1"));
  CHECK(IpPrefix::parse("2001:db8::/32")->contains("2001:db8:1::1"));
  CHECK(IpPrefix::parse("::1")->contains("::1"));
  for (const char* bad :
       {"", "10.0.0.0/33", "10.0.0/8", "::/129", "10.0.0.0/", "10.0.0.0/8x", "localhost"}) {
    CHECK_FALSE(IpPrefix::parse(bad).has_value());
  }
}

TEST_CASE("an IPv6 address counts as its /64, an IPv4 address as itself in either form", "[http]") {
  CHECK(network_key("2001:db8:1:2::1") == network_key("2001:db8:1:2:ffff::9"));
  CHECK(network_key("2001:db8:1:2::1") != network_key("2001:db8:1:3::1"));
  CHECK(network_key("192.0.2.1") == network_key("::ffff:192.0.2.1"));
  CHECK(network_key("192.0.2.1") != network_key("192.0.2.2"));
  CHECK(network_key("192.0.2.1") != network_key("::192.0.2.1"));
  for (const char* none : {"", "localhost", "192.0.2.0/24", "fe80::1%eth0"}) {
    CHECK_FALSE(network_key(none).has_value());
    CHECK_FALSE(is_ip_address(none));
  }
  CHECK(is_ip_address("2001:db8::1"));
}

}  // namespace
}  // namespace plexsphere::host::http
