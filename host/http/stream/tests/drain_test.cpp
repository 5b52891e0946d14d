#include <atomic>
#include <catch2/catch.hpp>
#include <regex>
#include <set>
#include <thread>

#include "fixture.hpp"
#include "host/http/stream/keep_alive_wheel.hpp"
#include "support/wait_until.hpp"

namespace plexsphere::host::http {
namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;  // NOLINT: test

TEST_CASE("at the drain every client is told when to come back and its body ends", "[stream]") {
  HubFixture fixture({.reconnect_base = 700ms, .reconnect_spread_each = 50ms});
  std::vector<std::unique_ptr<Client>> clients;
  std::vector<StreamId> ids;
  for (int i = 0; i < 20; ++i) {
    clients.push_back(std::make_unique<Client>());
    ids.push_back(fixture.open(*clients.back(), {"news"}));
  }
  REQUIRE(fixture.publish("news", "a"));
  CHECK(fixture.hub.drain(Clock::now() + kPatience));
  std::set<int> hints;
  for (std::size_t i = 0; i < clients.size(); ++i) {
    REQUIRE(clients[i]->read_to_end());
    std::smatch match;
    const std::string text = clients[i]->received().substr(kHead.size());
    REQUIRE(std::regex_match(
        text, match, std::regex("9\r\ndata: a\n\n\r\n[cd]\r\nretry: (\\d+)\n\n\r\n0\r\n\r\n")));
    const int hint = std::stoi(match[1]);
    CHECK(hint >= 700);
    CHECK(hint <= 1'700);
    hints.insert(hint);
    CHECK(fixture.ended(ids[i]) == StreamEnd::kDraining);
  }
  CHECK(hints.size() > 5);  // spread out
  const auto late = fixture.hub.reserve(fixture.wanting({"news"}));
  REQUIRE_FALSE(late.ok());
  CHECK(late.status().code() == Code::kCancelled);
  CHECK(fixture.hub.drain(Clock::now()));
}

TEST_CASE("a stream whose connection comes during the drain is told too", "[stream]") {
  HubFixture fixture;
  Client client;
  const StreamId id = fixture.reserve(fixture.wanting({"news"}));
  CHECK_FALSE(fixture.hub.drain(Clock::now()));
  fixture.hub.attach(id, client.served(false));
  REQUIRE(client.read_to_end());
  CHECK(client.received().starts_with(kHead + "retry: "));
  CHECK(fixture.hub.drain(Clock::now() + kPatience));
  CHECK(fixture.ended(id) == StreamEnd::kDraining);
}

TEST_CASE("quiet streams are kept alive", "[stream]") {
  HubFixture fixture({.keep_alive = 20ms});
  Client chunked;
  Client plain;
  fixture.open(chunked, {"news"});
  fixture.open(plain, {"news"}, false);
  const std::string once = "d\r\n:keep-alive\n\n\r\n";
  REQUIRE(chunked.read_until(once + once));
  REQUIRE(plain.read_until(":keep-alive\n\n:keep-alive\n\n"));
  CHECK(chunked.received().starts_with(kHead + once));
  CHECK(plain.received().starts_with(kHead + ":keep-alive\n\n"));
  CHECK(fixture.metric("plexsphere_stream_frames_sent_total") == 0);
}

TEST_CASE("keep-alives of a crowd are spread over the interval", "[stream]") {
  const auto began = Clock::now();
  detail::KeepAliveWheel wheel(25s, began);
  std::vector<std::unique_ptr<detail::Subscriber>> crowd;
  Subscription none;
  for (StreamId id = 1; id <= 9'000; ++id) {
    crowd.push_back(std::make_unique<detail::Subscriber>(id, none));
    wheel.add(*crowd.back());
  }
  std::map<detail::Subscriber*, int> times;
  std::size_t most = 0;
  for (auto now = began; now <= began + 25s; now += 10ms) {
    const auto due = wheel.due(now);
    most = std::max(most, due.size());
    for (auto* who : due) {
      ++times[who];
    }
  }
  CHECK(times.size() == 9'000);
  CHECK(std::all_of(times.begin(), times.end(), [](const auto& one) { return one.second == 1; }));
  CHECK(most <= 2 * 9'000 / 128 + 1);
  for (auto& who : crowd) {
    wheel.remove(*who);
  }
  CHECK_FALSE(wheel.next().has_value());
}

TEST_CASE("a few clients wait a whole interval for their first keep-alive", "[stream]") {
  const auto began = Clock::now();
  detail::KeepAliveWheel wheel(25s, began);
  Subscription none;
  detail::Subscriber who(1, none);
  wheel.add(who);
  auto now = began;
  while (wheel.due(now).empty()) {
    now += 10ms;
  }
  CHECK(now - began > 24s);
  CHECK(now - began <= 25s + 10ms);
  wheel.remove(who);
}

TEST_CASE("each stream's end is told once, whatever ends it", "[stream]") {
  HubFixture fixture;
  std::vector<std::unique_ptr<Client>> clients;
  std::vector<StreamId> ids;
  for (int i = 0; i < 60; ++i) {
    clients.push_back(std::make_unique<Client>());
    ids.push_back(fixture.open(*clients.back(), {"news"}));
  }
  std::thread leaving([&] {
    for (auto& client : clients) {
      client->leave();
    }
  });
  std::thread closing([&] {
    for (const StreamId id : ids) {
      (void)fixture.hub.close(fixture.owner(), id);
    }
    fixture.hub.close_channel("news");
  });
  CHECK(fixture.hub.drain(Clock::now() + kPatience));
  leaving.join();
  closing.join();
  for (const StreamId id : ids) {
    CHECK(fixture.ended(id) != StreamEnd::kNone);
  }
  fixture.hub.withdraw(fixture.owner());  // everything before it is done
  for (const StreamId id : ids) {
    CHECK(fixture.ended_calls(id) == 1);
  }
}

TEST_CASE("nothing is called for an owner that was withdrawn", "[stream]") {
  HubFixture fixture;
  std::atomic<bool> withdrawn{false};
  std::atomic<int> after{0};
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 50; ++i) {
    clients.push_back(std::make_unique<Client>());
    auto wanted = fixture.wanting({"news"});
    wanted.ended = [&](StreamId, StreamEnd) { after += withdrawn ? 1 : 0; };
    fixture.hub.attach(fixture.reserve(wanted), clients.back()->served(true));
  }
  const int other = 0;
  Client stranger;
  auto strange = fixture.wanting({"news"});
  strange.owner = &other;
  const StreamId kept = fixture.reserve(strange);
  fixture.hub.attach(kept, stranger.served(true));
  std::thread leaving([&] {
    for (auto& client : clients) {
      client->leave();
    }
  });
  fixture.hub.withdraw(fixture.owner());
  withdrawn = true;
  leaving.join();
  CHECK(test_support::wait_until(kPatience, [&] { return fixture.hub.subscribers() == 1; }));
  CHECK(after == 0);
  CHECK(fixture.hub.reserve(fixture.wanting({"news"})).status().code() == Code::kCancelled);
  REQUIRE(fixture.publish("news", "still here"));
  CHECK(stranger.read_until("data: still here\n\n\r\n"));
  CHECK(fixture.ended_calls(kept) == 0);
}

TEST_CASE("a hub that goes ends what is left", "[stream]") {
  Client client;
  std::atomic<int> calls{0};
  {
    HubFixture fixture;
    auto wanted = fixture.wanting({"news"});
    wanted.ended = [&](StreamId, StreamEnd why) { calls += why == StreamEnd::kClosed ? 1 : 0; };
    fixture.hub.attach(fixture.reserve(wanted), client.served(true));
    fixture.reserve(wanted);
    REQUIRE(client.read_until(kHead));
  }
  CHECK(calls == 2);
  REQUIRE(client.read_to_end());
  CHECK(client.received() == kHead + "0\r\n\r\n");
}

}  // namespace
}  // namespace plexsphere::host::http
