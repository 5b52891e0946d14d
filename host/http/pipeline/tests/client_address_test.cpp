#include "host/http/pipeline/client_address.hpp"

#include <catch2/catch.hpp>
#include <vector>

namespace plexsphere::host::http {
namespace {

std::vector<IpPrefix> prefixes(std::initializer_list<const char*> texts) {
  std::vector<IpPrefix> out;
  for (const char* text : texts) {
    out.push_back(IpPrefix::parse(text).value());
  }
  return out;
}

TEST_CASE("X-Forwarded-For is believed as far as trusted proxies reach", "[http]") {
  const auto trusted = prefixes({"10.0.0.0/8"});
  CHECK(client_address("10.0.0.1", "1.2.3.4", trusted) == "1.2.3.4");
  CHECK(client_address("10.0.0.1", "6.6.6.6, 1.2.3.4, 10.0.0.2", trusted) == "1.2.3.4");
  CHECK(client_address("10.0.0.1", "nonsense", trusted) == "10.0.0.1");
  CHECK(client_address("10.0.0.1", "1.2.3.4, nonsense", trusted) == "10.0.0.1");
  CHECK(client_address("10.0.0.1", "", trusted) == "10.0.0.1");
  CHECK(client_address("9.9.9.9", "1.2.3.4", trusted) == "9.9.9.9");
  CHECK(client_address("9.9.9.9", "1.2.3.4", {}) == "9.9.9.9");
  CHECK(client_address("::ffff:9.9.9.9", "", {}) == "9.9.9.9");
  CHECK(client_address("", "1.2.3.4", trusted) == "1.2.3.4");
  CHECK(client_address("", "1.2.3.4", {}).empty());
}

TEST_CASE("a proxy is who the operator says, and a unix socket where there are any", "[http]") {
  const auto trusted = prefixes({"10.0.0.0/8", "::1"});
  CHECK(is_trusted_proxy("10.9.8.7", trusted));
  CHECK(is_trusted_proxy("::1", trusted));
  CHECK_FALSE(is_trusted_proxy("192.0.2.1", trusted));
  CHECK(is_trusted_proxy("", trusted));
  CHECK_FALSE(is_trusted_proxy("", {}));
  CHECK_FALSE(is_trusted_proxy("10.9.8.7", {}));
}

}  // namespace
}  // namespace plexsphere::host::http
