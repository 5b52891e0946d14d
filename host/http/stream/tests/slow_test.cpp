#include <catch2/catch.hpp>
#include <regex>
#include <set>
#include <thread>

#include "fixture.hpp"
#include "support/wait_until.hpp"

namespace plexsphere::host::http {
namespace {

TEST_CASE("a reader that stalls is put out and counted while the others get everything",
          "[stream]") {
  HubFixture fixture({.queue_frames = 16, .send_buffer = 4096});
  Client stalled(4096);
  Client good;
  const StreamId slow = fixture.open(stalled, {"news"});
  const StreamId fast = fixture.open(good, {"news"});
  const std::string data(8'000, 'x');
  std::string all;
  for (int i = 0; fixture.ended_calls(slow) == 0 && i < 2'000; ++i) {
    const std::string text = data + std::to_string(i);
    REQUIRE(fixture.publish("news", text));
    all += "data: " + text + "\n\n";
    REQUIRE(good.read_until(std::to_string(i) + "\n\n\r\n"));
  }
  CHECK(fixture.ended(slow) == StreamEnd::kSlow);
  CHECK(fixture.ended_calls(fast) == 0);
  CHECK(good.events() == all);
  CHECK(fixture.metric("plexsphere_stream_ended_total{reason=\"slow\"}") == 1);
  CHECK(fixture.hub.subscribers("news") == 1);
  // What the kernel had taken is still there to read, then the connection ends.
  CHECK(stalled.read_to_end());
}

TEST_CASE("what is held back has a bound too", "[stream]") {
  HubFixture fixture({.queue_frames = 4});
  Client client;
  auto wanted = fixture.wanting({"news"});
  wanted.held = true;
  const StreamId id = fixture.reserve(wanted);
  fixture.hub.attach(id, client.served(true));
  for (int i = 0; i < 4; ++i) {
    REQUIRE(fixture.publish("news", "x"));
  }
  REQUIRE(fixture.send(id, "record").ok());
  REQUIRE(client.read_until("data: record\n\n\r\n"));
  CHECK(fixture.ended_calls(id) == 0);
  REQUIRE(fixture.publish("news", "one too many"));
  CHECK(fixture.ended(id) == StreamEnd::kSlow);
  REQUIRE(client.read_to_end());
  // Its connection stood between two frames, so it learns when to come back.
  const std::string text = client.received();
  CHECK(text.find("\r\nretry: ") != std::string::npos);
  CHECK(text.ends_with("\n\n\r\n0\r\n\r\n"));
}

TEST_CASE("readers that were slow together come back one by one", "[stream]") {
  HubFixture fixture({.queue_frames = 1,
                      .reconnect_base = std::chrono::milliseconds(700),
                      .reconnect_spread = std::chrono::milliseconds(9'000)});
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 40; ++i) {
    clients.push_back(std::make_unique<Client>());
    auto wanted = fixture.wanting({"news"});
    wanted.held = true;  // so that what is published waits
    fixture.hub.attach(fixture.reserve(wanted), clients.back()->served(true));
  }
  REQUIRE(fixture.publish("news", "fits"));
  REQUIRE(fixture.publish("news", "one too many"));
  std::set<int> hints;
  for (const auto& client : clients) {
    REQUIRE(client->read_to_end());
    std::smatch match;
    REQUIRE(std::regex_search(client->received(), match, std::regex("retry: (\\d+)\n")));
    hints.insert(std::stoi(match[1]));
  }
  CHECK(*hints.begin() >= 700);
  CHECK(*hints.rbegin() <= 9'700);
  CHECK(hints.size() > 30);
  CHECK(*hints.rbegin() - *hints.begin() > 4'500);  // over the spread, not next to each other
}

TEST_CASE("a burst that the reader follows is not held against it", "[stream]") {
  HubFixture fixture;
  Client client;
  fixture.open(client, {"news"});
  std::thread reader([&] { client.read_until("data: 9999\n\n\r\n"); });
  std::string all;
  for (int i = 0; i < 10'000; ++i) {
    if (i % 200 == 0) {  // within the queue, whatever the reader does meanwhile
      const auto so_far = [&] { return fixture.metric("plexsphere_stream_frames_sent_total"); };
      REQUIRE(test_support::wait_until(kPatience, [&] { return so_far() >= i; }));
    }
    REQUIRE(fixture.publish("news", std::to_string(i)));
    all += "data: " + std::to_string(i) + "\n\n";
  }
  reader.join();
  CHECK(client.events() == all);
}

TEST_CASE("publishing more than can be sent is refused before memory runs out", "[stream]") {
  HubFixture fixture({.inbox_frames = 100, .inbox_bytes = 10'000});
  // Keeps the hub thread from its inbox while the inbox is filled.
  std::mutex gate;
  gate.lock();
  auto blocking = fixture.wanting({"other"});
  blocking.ended = [&](StreamId, StreamEnd) { const std::lock_guard wait(gate); };
  fixture.reserve(fixture.wanting({"news"}));
  fixture.hub.abandon(fixture.reserve(blocking));
  std::size_t taken = 0;
  REQUIRE(test_support::wait_until(kPatience, [&] {
    const bool ok = fixture.publish("news", std::string(1'000, 'x'));
    taken += ok ? 1 : 0;
    return !ok;
  }));
  CHECK(taken >= 9);
  CHECK(fixture.metric("plexsphere_stream_frames_refused_total{reason=\"inbox\"}") == 1);
  CHECK(fixture.hub.publish("nobody", frame_of("x")).ok());
  gate.unlock();
  CHECK(test_support::wait_until(kPatience, [&] { return fixture.publish("news", "x"); }));
}

TEST_CASE("hundreds of clients get every event in order", "[stream]") {
  constexpr std::size_t kClients = 300;
  constexpr int kEvents = 100;
  HubFixture fixture;
  std::vector<std::unique_ptr<Client>> clients;
  for (std::size_t i = 0; i < kClients; ++i) {
    clients.push_back(std::make_unique<Client>());
    fixture.open(*clients.back(), {"news", "own " + std::to_string(i)});
  }
  std::string all;
  for (int i = 0; i < kEvents; ++i) {
    REQUIRE(fixture.publish("news", std::to_string(i)));
    all += "data: " + std::to_string(i) + "\n\n";
  }
  for (std::size_t i = 0; i < kClients; ++i) {
    REQUIRE(fixture.publish("own " + std::to_string(i), "yours"));
  }
  for (auto& client : clients) {
    REQUIRE(client->read_until("data: yours\n\n\r\n"));
    CHECK(client->events() == all + "data: yours\n\n");
  }
}

}  // namespace
}  // namespace plexsphere::host::http
