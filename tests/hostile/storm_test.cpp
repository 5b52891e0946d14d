// Every subscriber comes back at the same moment, as after a network that was away or a host that
// left.
#include <algorithm>
#include <catch2/catch.hpp>
#include <future>
#include <iterator>
#include <set>

#include "good_client.hpp"
#include "host_rig.hpp"
#include "support/wait_until.hpp"

namespace plexsphere::hostile {
namespace {

using namespace std::chrono_literals;  // NOLINT: tests
using test_support::wait_until;
using test_support::WireClient;

constexpr auto kPatience = 30s;
constexpr std::size_t kThreads = 16;  // that storm; a handshake keeps its client's thread

const std::string kSubscribers = "plexsphere_stream_subscribers";

// One thread's part of a storm.
std::vector<WireClient> subscribe(const HostRig& rig, bool tls, std::size_t count) {
  std::vector<WireClient> out;
  for (std::size_t i = 0; i < count; ++i) {
    out.push_back(rig.connect(tls));
    if (!out.back().send(get("/v1/good/stream?channel=storm"))) {
      throw std::runtime_error("a subscriber could not ask");
    }
  }
  for (auto& one : out) {
    const auto head = one.head();
    if (!head || head->status != 200) {
      throw std::runtime_error("a subscriber was not subscribed");
    }
  }
  return out;
}

std::vector<WireClient> storm(const HostRig& rig, bool tls, std::size_t count) {
  std::vector<std::future<std::vector<WireClient>>> parts;
  for (std::size_t i = 0; i < kThreads; ++i) {
    parts.push_back(
        std::async(std::launch::async, subscribe, std::cref(rig), tls, count / kThreads));
  }
  std::vector<WireClient> out;
  for (auto& part : parts) {
    for (auto& one : part.get()) {
      out.push_back(std::move(one));
    }
  }
  return out;
}

// Publishes an event; how many subscribers the host said it had then.
std::string publish(const HostRig& rig, const std::string& data) {
  auto publisher = rig.connect(false);
  REQUIRE(publisher.send(post("/v1/good/publish?channel=storm", data)));
  return publisher.answer().value().body;
}

std::size_t times_in(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++count;
  }
  return count;
}

// Publishes two events: everybody gets the first once, and nothing else before the second.
void expect_next_event_once(HostRig& rig, std::vector<WireClient>& subscribers) {
  REQUIRE(wait_until(kPatience, [&] {
    return rig.metric(kSubscribers) == static_cast<double>(subscribers.size());
  }));
  const std::string all = "{\"subscribers\":" + std::to_string(subscribers.size()) + "}";
  CHECK(publish(rig, "next") == all);
  CHECK(publish(rig, "last") == all);
  for (auto& one : subscribers) {
    const auto got = one.take_past("data: last\n");
    CHECK(times_in(got, "data: ") == 2);
    CHECK(times_in(got, "data: next\n") == 1);
  }
}

void reset_all(std::vector<WireClient>& subscribers) {
  for (auto& one : subscribers) {
    one.reset();
  }
  subscribers.clear();
}

void weather_storms(bool tls, std::size_t count) {
  HostRig rig("");
  GoodClients good(rig);
  auto subscribers = storm(rig, tls, count);
  expect_next_event_once(rig, subscribers);
  for (int round = 0; round < 3; ++round) {
    reset_all(subscribers);
    subscribers = storm(rig, tls, count);
    expect_next_event_once(rig, subscribers);
    CHECK(good.are_served());
  }
  reset_all(subscribers);
  check_unharmed(rig, good);
}

TEST_CASE("subscribers that are reset and all come back at once miss nothing", "[storm]") {
  weather_storms(false, 480);
}

TEST_CASE("the same storm over TLS", "[storm][tls]") {
  weather_storms(true, 240);
}

// What a stream tells its client about coming back, in milliseconds.
int retry_of(WireClient& subscriber) {
  (void)subscriber.take_past("retry: ");
  const int out = std::stoi(subscriber.take_past("\n"));
  CHECK(subscriber.take_past("0\r\n\r\n") == "\n\r\n0\r\n\r\n");  // a whole answer
  return out;
}

TEST_CASE("a host that leaves asks its subscribers back one after the other", "[storm][tls]") {
  constexpr std::size_t kOfEach = 160;
  HostRig rig("", "1s");
  GoodClients good(rig);
  auto subscribers = storm(rig, false, kOfEach);
  auto secure = storm(rig, true, kOfEach);
  std::move(secure.begin(), secure.end(), std::back_inserter(subscribers));
  expect_next_event_once(rig, subscribers);
  REQUIRE(good.are_served());

  rig.ask_to_leave();
  std::set<int> retries;
  for (auto& one : subscribers) {
    retries.insert(retry_of(one));
  }
  // The hub's: a second, and a part of 2 ms for each of them.
  const int spread = 2 * static_cast<int>(subscribers.size());
  CHECK(*retries.begin() >= 1'000);
  CHECK(*retries.rbegin() <= 1'000 + spread);
  CHECK(*retries.rbegin() - *retries.begin() > spread / 2);
  CHECK(retries.size() > subscribers.size() / 4);
  CHECK(rig.ended() == 0);
  CHECK(good.stop() == "");  // NOLINT: shows what it is instead
  CHECK(good.slowest() < kBearable);
  CHECK(rig.log().find("drain.streams_cut") == std::string::npos);
}

// Comes back with a handshake for every request, until nobody is there any more; how many were
// answered.
std::size_t come_again_and_again(const HostRig& rig) {
  std::size_t served = 0;
  try {
    for (;; ++served) {
      auto client = rig.connect(true);
      if (!client.send(get(kLater)) || !client.answer()) {
        return served;
      }
    }
  } catch (const std::runtime_error&) {
    return served;
  }
}

// A request that came over such a connection after the last of the others would find its plugin
// gone.
TEST_CASE("a host leaves cleanly amid handshakes, each served or refused", "[storm][tls]") {
  constexpr int kLeaves = 4;
  for (int i = 0; i < kLeaves; ++i) {
    HostRig rig("", "100ms");
    std::vector<std::future<std::size_t>> clients;
    for (std::size_t j = 0; j < kThreads; ++j) {
      clients.push_back(std::async(std::launch::async, come_again_and_again, std::cref(rig)));
    }
    REQUIRE(wait_until(kPatience, [&] {
      return rig.metric("plexsphere_tls_handshakes_total{result=\"ok\"}") > 2 * kThreads;
    }));
    rig.ask_to_leave();
    CHECK(rig.ended() == 0);
    for (auto& client : clients) {
      CHECK(client.get() > 0);
    }
  }
}

}  // namespace
}  // namespace plexsphere::hostile
