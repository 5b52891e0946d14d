#include <atomic>
#include <catch2/catch.hpp>
#include <thread>

#include "fixture.hpp"
#include "support/wait_until.hpp"

namespace plexsphere::host::http {
namespace {

// What a plugin keeps: everything that was published, readable up to a point in time.
class Record {
 public:
  std::uint64_t append() {
    const std::lock_guard lock(mutex_);
    return ++last_;
  }
  std::uint64_t last() const {
    const std::lock_guard lock(mutex_);
    return last_;
  }

 private:
  mutable std::mutex mutex_;
  std::uint64_t last_ = 0;
};

std::string data_of(std::uint64_t sequence) {
  return "event " + std::to_string(sequence);
}

std::string expected(std::uint64_t from, std::uint64_t to) {
  std::string out;
  for (std::uint64_t i = from; i <= to; ++i) {
    out += "id: " + std::to_string(i) + "\ndata: " + data_of(i) + "\n\n";
  }
  return out;
}

TEST_CASE("what is published waits while a stream is held, and what was sent is left out",
          "[stream]") {
  HubFixture fixture;
  Client client;
  auto wanted = fixture.wanting({"news"});
  wanted.held = true;
  wanted.after = 2;
  const StreamId id = fixture.reserve(wanted);
  fixture.hub.attach(id, client.served(true));
  for (std::uint64_t i = 1; i <= 6; ++i) {
    REQUIRE(fixture.publish("news", data_of(i), i));
  }
  REQUIRE(fixture.publish("news", "unnumbered"));
  for (std::uint64_t i = 3; i <= 5; ++i) {
    REQUIRE(fixture.send(id, data_of(i), i).ok());
  }
  REQUIRE(client.read_until("event 5\n\n\r\n"));
  CHECK(client.events() == expected(3, 5));
  REQUIRE(fixture.hub.release(fixture.owner(), id).ok());
  REQUIRE(fixture.publish("news", data_of(4), 4));  // late; the client had it from the record
  REQUIRE(fixture.publish("news", data_of(7), 7));
  REQUIRE(client.read_until("event 7\n\n\r\n"));
  CHECK(client.events() == expected(3, 6) + "data: unnumbered\n\n" + expected(7, 7));
}

TEST_CASE("a cursor leaves out what lies before it, without a record to read", "[stream]") {
  HubFixture fixture;
  Client client;
  auto wanted = fixture.wanting({"news"});
  wanted.after = 10;
  fixture.hub.attach(fixture.reserve(wanted), client.served(true));
  for (const std::uint64_t sequence : {9, 10, 12, 11}) {  // not sorted: of two channels, perhaps
    REQUIRE(fixture.publish("news", data_of(sequence), sequence));
  }
  REQUIRE(client.read_until("event 11\n\n\r\n"));
  CHECK(client.events() == expected(12, 12) + expected(11, 11));
}

TEST_CASE("replays while others publish have neither a gap nor a duplicate", "[stream]") {
  constexpr std::uint64_t kEvents = 2'400;  // 200 for each reader: what is held has a bound
  constexpr int kReaders = 12;
  HubFixture fixture;
  Record record;
  std::atomic<std::uint64_t> may_publish{0};
  std::thread publisher([&] {
    for (std::uint64_t i = 1; i <= kEvents; ++i) {
      // In step with the readers, or the last of them would find everything in the record.
      (void)test_support::wait_until(kPatience, [&] { return may_publish >= i; });
      const std::uint64_t sequence = record.append();
      fixture.publish("news", data_of(sequence), sequence);
    }
  });
  std::vector<std::unique_ptr<Client>> clients;
  for (std::uint64_t reader = 0; reader < kReaders; ++reader) {
    may_publish = std::min(kEvents, (reader + 1) * kEvents / kReaders);
    clients.push_back(std::make_unique<Client>());
    auto wanted = fixture.wanting({"news"});
    wanted.held = true;
    const StreamId id = fixture.reserve(wanted);
    fixture.hub.attach(id, clients.back()->served(true));
    const std::uint64_t last = record.last();
    for (std::uint64_t i = 1; i <= last; ++i) {
      REQUIRE(test_support::wait_until(kPatience, [&] {
        const auto sent = fixture.send(id, data_of(i), i);
        return sent.ok() || sent.code() != Code::kResourceExhausted;
      }));
    }
    REQUIRE(fixture.hub.release(fixture.owner(), id).ok());
    REQUIRE(test_support::wait_until(kPatience, [&] { return record.last() >= may_publish; }));
    for (auto& client : clients) {
      REQUIRE(client->read_until(data_of(may_publish) + "\n\n\r\n"));
    }
  }
  publisher.join();
  for (auto& client : clients) {
    CHECK(client->events() == expected(1, kEvents));
  }
}

TEST_CASE("a full queue refuses what is sent until there is room again", "[stream]") {
  HubFixture fixture({.queue_frames = 8, .send_buffer = 4096});
  Client client(4096);
  const StreamId id = fixture.open(client, {"news"});
  const std::string data(20'000, 'x');
  std::size_t sent = 0;
  Status last;
  REQUIRE(test_support::wait_until(kPatience, [&] {
    last = fixture.send(id, data);
    sent += last.ok() ? 1 : 0;
    return !last.ok();
  }));
  CHECK(last.code() == Code::kResourceExhausted);
  CHECK(fixture.metric("plexsphere_stream_frames_refused_total{reason=\"queue\"}") == 1);
  CHECK(fixture.ended_calls(id) == 0);  // it is the sender who is too fast
  std::thread reader([&] { client.read_until("data: end\n\n\r\n"); });
  CHECK(test_support::wait_until(kPatience, [&] { return fixture.send(id, "end").ok(); }));
  reader.join();
  std::string all;
  for (std::size_t i = 0; i < sent; ++i) {
    all += "data: " + data + "\n\n";
  }
  CHECK(client.events() == all + "data: end\n\n");
}

}  // namespace
}  // namespace plexsphere::host::http
