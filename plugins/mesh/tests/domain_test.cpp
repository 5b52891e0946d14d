#include <catch2/catch.hpp>

#include "domain/heartbeat.hpp"
#include "domain/reachability.hpp"

using namespace plexsphere::mesh;
using namespace std::chrono_literals;

namespace {

constexpr Time kNow{std::chrono::seconds(1'800'000'000)};
constexpr SilencePolicy kPolicy{90s, 300s};

Reachability after(std::chrono::microseconds silence) {
  return derive_reachability({kNow - 24h, kNow - silence, kNow - 1h}, kPolicy, kNow);
}

HeartbeatReport report() {
  return {kNow, std::string(32, 'x'), "1.2.3", "{}"};
}

}  // namespace

TEST_CASE("a Node is healthy until stale_after, stale until unreachable_after, then unreachable",
          "[mesh][reachability]") {
  CHECK(after(0s).state == ReachabilityState::healthy);
  CHECK(after(90s - 1us).state == ReachabilityState::healthy);
  CHECK(after(90s).state == ReachabilityState::stale);
  CHECK(after(300s).state == ReachabilityState::stale);
  CHECK(after(300s + 1us).state == ReachabilityState::unreachable);
}

TEST_CASE("a state's beginning follows from the record, whenever one looks",
          "[mesh][reachability]") {
  CHECK(after(10s).changed_at == kNow - 1h);
  CHECK(after(100s).changed_at == kNow - 10s);
  CHECK(after(100s).last_heartbeat_at == kNow - 100s);
  CHECK(after(1000s).changed_at == kNow - 700s);
}

TEST_CASE("a Node that never reported is unreachable since its row exists",
          "[mesh][reachability]") {
  const auto never = derive_reachability({kNow - 5s, {}, {}}, kPolicy, kNow);
  CHECK(never == Reachability{ReachabilityState::unreachable, std::nullopt, kNow - 5s});
}

TEST_CASE("a reader whose clock is behind the writer's still sees a healthy Node",
          "[mesh][reachability]") {
  CHECK(after(-1s).state == ReachabilityState::healthy);
}

TEST_CASE("a heartbeat may be off by sixty seconds and no more", "[mesh][heartbeat]") {
  auto sent = report();
  for (const auto skew : {60s, -60s, 0s}) {
    sent.client_now = kNow + skew;
    CHECK_FALSE(judge_heartbeat(sent, kNow));
  }
  for (const auto skew : {60s + 1us, -60s - 1us, std::chrono::microseconds(24h)}) {
    sent.client_now = kNow + skew;
    CHECK(judge_heartbeat(sent, kNow) == HeartbeatFault::clock_skew);
  }
}

TEST_CASE("a heartbeat's faults are told in the contract's order", "[mesh][heartbeat]") {
  auto sent = report();
  sent.binary_version = " \t";
  CHECK(judge_heartbeat(sent, kNow) == HeartbeatFault::no_version);
  sent.binary_checksum = "short";
  CHECK(judge_heartbeat(sent, kNow) == HeartbeatFault::no_checksum);
  sent.client_now = kNow + 1h;
  CHECK(judge_heartbeat(sent, kNow) == HeartbeatFault::clock_skew);
  sent = report();
  sent.binary_checksum.clear();
  CHECK(judge_heartbeat(sent, kNow) == HeartbeatFault::no_checksum);
}
