#include "host/config/origin.hpp"

#include <catch2/catch.hpp>
#include <string>

namespace plexsphere::host::config {
namespace {

TEST_CASE("an origin is a scheme, a host and a port", "[config]") {
  const auto origin = parse_origin("https://S3.eu-central-1.amazonaws.com:8443");
  REQUIRE(origin.has_value());
  CHECK_FALSE(origin->plaintext);
  CHECK(origin->host == "s3.eu-central-1.amazonaws.com");
  CHECK(origin->port == 8443);
  CHECK(origin->text() == "https://s3.eu-central-1.amazonaws.com:8443");
  CHECK(origin->authority() == "s3.eu-central-1.amazonaws.com:8443");
}

TEST_CASE("the port may be the scheme's own", "[config]") {
  CHECK(parse_origin("https://a.example")->text() == "https://a.example:443");
  CHECK(parse_origin("http://a.example")->text() == "http://a.example:80");
  CHECK(parse_origin("https://a.example:443") == parse_origin("https://A.example"));
  CHECK(parse_origin("https://a.example:443")->authority() == "a.example");
  CHECK(parse_origin("http://a.example:443")->authority() == "a.example:443");
  CHECK_FALSE(parse_origin("http://a.example") == parse_origin("https://a.example:80"));
}

TEST_CASE("addresses are hosts", "[config]") {
  CHECK(parse_origin("http://127.0.0.1:8333")->host == "127.0.0.1");
  const auto v6 = parse_origin("http://[2001:DB8:0::1]:8333");
  REQUIRE(v6.has_value());
  CHECK(v6->host == "2001:db8::1");
  CHECK(v6->authority() == "[2001:db8::1]:8333");
}

TEST_CASE("what is no origin is refused", "[config]") {
  for (const std::string text : {"",
                                 "a.example",
                                 "ftp://a.example",
                                 "HTTPS://a.example",
                                 "https://",
                                 "https://a.example/",
                                 "https://a.example:",
                                 "https://a.example:0",
                                 "https://a.example:65536",
                                 "https://a.example:8x",
                                 "https://u@a.example",
                                 "https://a.example?q",
                                 "https://a..example",
                                 "https://-a.example",
                                 "https://a_b.example",
                                 "https://a.example.",
                                 "https://*.example",
                                 "https://[::1",
                                 "https://[::1]x",
                                 "https://[127.0.0.1]",
                                 "https://[fe80::1%25eth0]",
                                 "https://::1",
                                 "https://127.1",
                                 "https://2130706433",
                                 "https://0x7f.0.0.1",
                                 "https://127.0.0.0x1",
                                 "https://256.0.0.1",
                                 "https://a b.example",
                                 "https://a\xC3\xA9.example"}) {
    INFO(text);
    CHECK_FALSE(parse_origin(text).has_value());
  }
  CHECK_FALSE(parse_origin("https://" + std::string(64, 'a') + ".example").has_value());
}

}  // namespace
}  // namespace plexsphere::host::config
