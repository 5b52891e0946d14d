#include "host/http/engine/connection_limits.hpp"

#include <catch2/catch.hpp>
#include <vector>

namespace plexsphere::host::http::engine {
namespace {

TEST_CASE("connections of one IPv6 /64 count as those of one address", "[http]") {
  const auto limits = std::make_shared<ConnectionLimits>(100, 2, nullptr);
  const auto first = limits->take("2001:db8:1:2::1");
  auto second = limits->take("2001:db8:1:2:ffff::9");
  CHECK(first != nullptr);
  CHECK(second != nullptr);
  CHECK(limits->take("2001:db8:1:2::7") == nullptr);
  CHECK(limits->take("2001:db8:1:3::1") != nullptr);
  second.reset();
  CHECK(limits->take("2001:db8:1:2::7") != nullptr);
}

TEST_CASE("proxies and peers without an address are counted in total only", "[http]") {
  const auto limits = std::make_shared<ConnectionLimits>(
      4, 1, [](std::string_view address) { return address == "192.0.2.1"; });
  const auto client = limits->take("192.0.2.2");
  CHECK(limits->take("192.0.2.2") == nullptr);
  std::vector<std::shared_ptr<void>> exempt;
  for (const char* peer : {"192.0.2.1", "192.0.2.1", ""}) {
    exempt.push_back(limits->take(peer));
    CHECK(exempt.back() != nullptr);
  }
  CHECK(limits->taken() == 4);
  CHECK(limits->take("") == nullptr);
  exempt.clear();
  CHECK(limits->taken() == 1);
}

}  // namespace
}  // namespace plexsphere::host::http::engine
