// Clients that are slow on purpose, that stop half-way or talk nonsense, beside such as are not.
#include <sys/socket.h>

#include <array>
#include <catch2/catch.hpp>
#include <random>

#include "good_client.hpp"
#include "host_rig.hpp"
#include "support/wait_until.hpp"

namespace plexsphere::hostile {
namespace {

using namespace std::chrono_literals;  // NOLINT: tests
using namespace std::string_literals;  // NOLINT: tests
using test_support::wait_until;
using test_support::WireClient;
using Clock = std::chrono::steady_clock;

constexpr auto kPatience = 30s;

const std::string kHandshakesFailed = "plexsphere_tls_handshakes_total{result=\"failed\"}";

// Sends a request that never ends, a byte whenever it is told to.
class Dribbler {
 public:
  struct Shape {
    std::string begin;
    std::string on_and_on;
  };
  Dribbler(WireClient client, Shape shape)
      : client_(std::move(client)), bytes_(std::move(shape.begin)), more_(shape.on_and_on) {}

  // Whether it is taken does not matter: it may have been refused already.
  void drip() {
    if (at_ == bytes_.size()) {
      bytes_ = more_;
      at_ = 0;
    }
    (void)client_.send({&bytes_[at_++], 1});
  }
  // Everything but what is dribbled.
  void rush() {
    (void)client_.send(bytes_);
    at_ = bytes_.size();
  }
  WireClient& client() { return client_; }

 private:
  WireClient client_;
  std::string bytes_;
  std::string more_;
  std::size_t at_ = 0;
};

const std::string kPublish = "POST /v1/good/publish HTTP/1.1\r\nHost: a\r\n";

std::vector<Dribbler::Shape> endless_requests() {
  return {{"GET /v1/good/things/", "a"},
          {"GET /v1/good/hello HTTP/1.1\r\nHost: a\r\nX-Slow: ", "b"},
          {kPublish + "Content-Length: 100000\r\n\r\n", "c"},
          {kPublish + "Transfer-Encoding: chunked\r\n\r\n", "1\r\nd\r\n"}};
}

void expect_told_too_slow(WireClient& client) {
  const auto told = client.answer();
  REQUIRE(told);
  CHECK(told->status == 408);
  CHECK(told->body.find("request_timeout") != std::string::npos);
  CHECK(header_of(*told, "Connection") == "close");
}

TEST_CASE("whoever dribbles a request is told at its time-out, whatever part of it", "[hostile]") {
  HostRig rig("receive_timeout = \"1s\"\nworkers = 2\n");
  GoodClients good(rig);
  std::vector<Dribbler> slow;
  const auto began = Clock::now();
  for (std::size_t i = 0; i < 40; ++i) {
    for (const auto& shape : endless_requests()) {
      slow.emplace_back(rig.connect(i % 4 == 0), shape);
      if (i % 2 == 0) {
        slow.back().rush();  // then it is the body that takes long
      }
    }
  }
  CHECK(wait_until(kPatience, [&] {
    for (auto& one : slow) {
      one.drip();
    }
    return rig.refusals("request_timeout") == slow.size();
  }));
  CHECK(Clock::now() - began >= 1s);
  for (auto& one : slow) {
    expect_told_too_slow(one.client());
  }
  check_unharmed(rig, good);
}

// Takes a byte of what has come, if anything has; over TLS, of the record.
std::size_t take_a_byte(const WireClient& client) {
  char byte = 0;
  return ::recv(client.descriptor(), &byte, 1, MSG_DONTWAIT) == 1 ? 1 : 0;
}

TEST_CASE("an answer taken a byte at a time holds no worker and is cut in the end", "[hostile]") {
  constexpr std::size_t kLarge = 4 * 1024 * 1024;  // more than a kernel keeps for a client
  constexpr std::size_t kSlow = 16;
  // So that a worker that was held would be missed rather than its requests shed.
  HostRig rig("receive_timeout = \"1s\"\nworkers = 2\nmax_wait = \"60s\"\n");
  GoodClients good(rig);
  std::vector<WireClient> slow;
  for (std::size_t i = 0; i < kSlow; ++i) {
    slow.push_back(rig.connect(i % 4 == 0, {.receive_buffer = 4096}));
    REQUIRE(slow.back().send(get("/v1/good/large?bytes=" + std::to_string(kLarge))));
  }
  std::vector<std::size_t> taken(kSlow);
  CHECK(wait_until(kPatience, [&] {
    for (std::size_t i = 0; i < kSlow; ++i) {
      taken[i] += take_a_byte(slow[i]);
    }
    return rig.connections() <= good.count() + 1;  // and the one that asks
  }));
  for (std::size_t i = 0; i < kSlow; ++i) {
    CHECK(taken[i] > 0);
    CHECK((i % 4 == 0 || taken[i] + slow[i].rest().size() < kLarge));
  }
  check_unharmed(rig, good);
}

// What a TLS client sends before it has stopped.
std::vector<std::string> half_open() {
  const std::string hello = test_support::TlsClientContext().hello();
  return {"", hello.substr(0, 7), hello.substr(0, hello.size() / 2), hello};
}

TEST_CASE("a handshake that stops half-way ends at its time-out and counts", "[hostile][tls]") {
  HostRig rig("handshake_timeout = \"1s\"\n");
  GoodClients good(rig);
  const double failed_before = rig.metric(kHandshakesFailed);
  std::vector<WireClient> stopped;
  const auto began = Clock::now();
  for (int i = 0; i < 75; ++i) {
    for (const auto& beginning : half_open()) {
      stopped.emplace_back(rig.port(true), kPatience);
      REQUIRE(stopped.back().send(beginning));
    }
  }
  CHECK(good.are_served());
  for (auto& one : stopped) {
    CHECK(is_closed(one));
  }
  CHECK(Clock::now() - began >= 1s);
  CHECK(wait_until(kPatience, [&] {
    return rig.metric(kHandshakesFailed) == failed_before + static_cast<double>(stopped.size());
  }));
  check_unharmed(rig, good);
}

struct Nonsense {
  std::string bytes;
  int status;
  const char* reason;
};

// A request that nobody may ever see follows each of them.
std::vector<Nonsense> nonsense() {
  const std::string length = "Content-Length: 5\r\n";
  const std::string chunked = "Transfer-Encoding: chunked\r\n";
  const std::string head = "GET /v1/good/hello HTTP/1.1\r\nHost: a\r\n";
  return {
      {kPublish + length + chunked + "\r\n0\r\n\r\n", 400, "length_and_chunked"},
      {kPublish + length + "Content-Length: 44\r\n\r\nhello", 400, "two_lengths"},
      {kPublish + "Content-Length: +5\r\n\r\nhello", 400, "bad_length"},
      {kPublish + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 501, "transfer_encoding"},
      {kPublish + chunked + "\r\n0x5\r\nhello\r\n0\r\n\r\n", 400, "bad_chunk_size"},
      {kPublish + chunked + "\r\n5\r\nhello!!\r\n0\r\n\r\n", 400, "bad_chunk_end"},
      {kPublish + "X: y\r\n Content-Length: 5\r\n\r\nhello", 400, "obs_fold"},
      {kPublish + "X: y\nContent-Length: 5\r\n\r\nhello", 400, "bare_lf"},
      {head + "X: a\0b\r\n\r\n"s, 400, "nul"},
      {head + "Content-Length : 5\r\n\r\nhello", 400, "space_before_colon"},
      {head + "X: " + std::string(9'000, 'x') + "\r\n\r\n", 431, "long_header"},
      {"GET /" + std::string(9'000, 'x') + " HTTP/1.1\r\nHost: a\r\n\r\n", 414, "long_target"},
      {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, "http_version"},
  };
}

TEST_CASE("nonsense is refused, counted and followed by nothing, however much of it comes",
          "[hostile]") {
  constexpr std::size_t kOfEach = 30;
  HostRig rig("workers = 2\n");
  GoodClients good(rig);
  const auto shapes = nonsense();
  std::vector<WireClient> clients;
  for (std::size_t i = 0; i < kOfEach; ++i) {
    for (const auto& one : shapes) {
      clients.push_back(rig.connect(i % 4 == 0));
      REQUIRE(clients.back().send(one.bytes + get("/v1/good/things/smuggled")));
    }
  }
  for (std::size_t i = 0; i < clients.size(); ++i) {
    INFO(shapes[i % shapes.size()].reason);
    const auto answers = clients[i].answers();
    REQUIRE(answers.size() == 1);
    CHECK(answers[0].status == shapes[i % shapes.size()].status);
  }
  for (const auto& one : shapes) {
    INFO(one.reason);
    CHECK(rig.refusals(one.reason) == kOfEach);
  }
  CHECK(rig.metric("plexsphere_http_requests_total{route=\"/v1/good/things/"
                   "{thing_id}\",method=\"GET\",status=\"200\"}") == -1);
  clients.clear();
  check_unharmed(rig, good);
}

TEST_CASE("bytes at random are taken for no request on any port", "[hostile][tls]") {
  HostRig rig("workers = 2\nhandshake_timeout = \"2s\"\nreceive_timeout = \"2s\"\n");
  GoodClients good(rig);
  const std::string hello = test_support::TlsClientContext().hello();
  std::mt19937 random(1);  // the same bytes in every run
  std::vector<WireClient> clients;
  for (int i = 0; i < 300; ++i) {
    std::string bytes(1 + random() % 2'000, '\0');
    for (char& byte : bytes) {
      byte = static_cast<char>(random());
    }
    clients.emplace_back(rig.port(i % 3 == 0), kPatience);
    (void)clients.back().send(i % 3 == 1 ? hello + bytes : bytes);
  }
  CHECK(good.are_served());
  for (auto& one : clients) {
    CHECK(one.rest().find(" 200 ") == std::string::npos);
  }
  clients.clear();
  check_unharmed(rig, good);
}

// A subscriber of the channel "news".
WireClient subscribed(const HostRig& rig, bool tls, const Origin& origin = {}) {
  auto client = rig.connect(tls, origin);
  REQUIRE(client.send(get("/v1/good/stream?channel=news")));
  REQUIRE(client.head().value().status == 200);
  return client;
}

TEST_CASE("readers that stall are put out and counted while the others get every event",
          "[hostile][stream]") {
  const std::string slow = "plexsphere_stream_ended_total{reason=\"slow\"}";
  constexpr int kStalled = 40;
  HostRig rig("stream_queue_frames = 8\n");
  GoodClients good(rig);
  std::vector<WireClient> stalled;
  for (int i = 0; i < kStalled; ++i) {
    stalled.push_back(subscribed(rig, i % 4 == 0, {.receive_buffer = 4096}));
  }
  std::array<WireClient, 2> reading{subscribed(rig, false), subscribed(rig, true)};
  WireClient publisher = rig.connect(false);
  const std::string event = post("/v1/good/publish?channel=news", std::string(60'000, 'e'));
  for (int i = 1; i <= 40; ++i) {
    REQUIRE(publisher.send(event));
    REQUIRE(publisher.answer().value().status == 200);
    for (auto& one : reading) {
      REQUIRE(one.skip_past("id: " + std::to_string(i) + "\n"));
    }
  }
  CHECK(wait_until(kPatience, [&] { return rig.metric(slow) == kStalled; }));
  CHECK(good.are_served());
  stalled.clear();
  for (auto& one : reading) {
    one.reset();
  }
  publisher.reset();
  check_unharmed(rig, good);
}

}  // namespace
}  // namespace plexsphere::hostile
