#include "host/http/engine/connection_limits.hpp"

#include <catch2/catch.hpp>
#include <vector>

namespace plexsphere::host::http::engine {
namespace {

using Limit = ConnectionLimits::Limit;

// The slot; fails without one.
std::shared_ptr<void> slot(ConnectionLimits& limits, const char* peer) {
  auto taken = limits.take(peer);
  REQUIRE(std::holds_alternative<std::shared_ptr<void>>(taken));
  return std::get<std::shared_ptr<void>>(taken);
}

bool refused(ConnectionLimits& limits, const char* peer, Limit limit) {
  const auto taken = limits.take(peer);
  return std::holds_alternative<Limit>(taken) && std::get<Limit>(taken) == limit;
}

TEST_CASE("connections of one IPv6 /64 count as those of one address", "[http]") {
  const auto limits = std::make_shared<ConnectionLimits>(100, 2, nullptr);
  const auto first = slot(*limits, "2001:db8:1:2::1");
  auto second = slot(*limits, "2001:db8:1:2:ffff::9");
  CHECK(refused(*limits, "2001:db8:1:2::7", Limit::kAddress));
  const auto neighbour = slot(*limits, "2001:db8:1:3::1");
  second.reset();
  CHECK_FALSE(refused(*limits, "2001:db8:1:2::7", Limit::kAddress));
  CHECK(limits->refused(Limit::kAddress) == 1);
  CHECK(limits->refused(Limit::kTotal) == 0);
}

TEST_CASE("proxies and peers without an address are counted in total only", "[http]") {
  const auto limits = std::make_shared<ConnectionLimits>(
      4, 1, [](std::string_view address) { return address == "192.0.2.1"; });
  const auto client = slot(*limits, "192.0.2.2");
  CHECK(refused(*limits, "192.0.2.2", Limit::kAddress));
  std::vector<std::shared_ptr<void>> exempt;
  for (const char* peer : {"192.0.2.1", "192.0.2.1", ""}) {
    exempt.push_back(slot(*limits, peer));
  }
  CHECK(limits->taken() == 4);
  CHECK(refused(*limits, "", Limit::kTotal));
  exempt.clear();
  CHECK(limits->taken() == 1);
  CHECK(limits->refused(Limit::kTotal) == 1);
}

}  // namespace
}  // namespace plexsphere::host::http::engine
