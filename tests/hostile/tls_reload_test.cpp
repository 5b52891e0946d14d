// A new certificate while everybody is busy.
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <future>
#include <thread>

#include "good_client.hpp"
#include "host_rig.hpp"
#include "support/wait_until.hpp"

namespace plexsphere::hostile {
namespace {

using namespace std::chrono_literals;  // NOLINT: tests
using test_support::TlsClient;
using test_support::WireClient;

constexpr int kReloads = 8;

std::string serial_now(const HostRig& rig) {
  return rig.connect(true).tls()->peer_serial();
}

std::string answer_to(WireClient& client, const std::string& request) {
  REQUIRE(client.send(request));
  const auto answer = client.answer();
  REQUIRE(answer);
  return std::to_string(answer->status) + " " + answer->body;
}

TEST_CASE("reload after reload fails no request, and the next client sees the new certificate",
          "[hostile][tls]") {
  HostRig rig("");
  GoodClients good(rig);
  auto kept = rig.connect(true);
  const std::string first = kept.tls()->peer_serial();
  REQUIRE(first == rig.serial());
  for (int i = 0; i < kReloads; ++i) {
    const std::string next = rig.renew_certificate();
    CHECK(next != first);
    CHECK(serial_now(rig) == next);
    CHECK(answer_to(kept, get("/v1/good/later")) == "200 {\"later\":true}");
    CHECK(good.are_served());
  }
  CHECK(kept.tls()->peer_serial() == first);
  kept.reset();
  check_unharmed(rig, good);
}

TEST_CASE("a stream goes on over reloads", "[hostile][tls][stream]") {
  HostRig rig("");
  GoodClients good(rig);
  auto subscriber = rig.connect(true);
  REQUIRE(subscriber.send(get("/v1/good/stream?channel=news")));
  REQUIRE(subscriber.head().value().status == 200);
  auto publisher = rig.connect(true);
  for (int i = 1; i <= kReloads; ++i) {
    (void)rig.renew_certificate();
    CHECK(answer_to(publisher, post("/v1/good/publish?channel=news", "x")) ==
          "200 {\"subscribers\":1}");
    CHECK(subscriber.skip_past("id: " + std::to_string(i) + "\n"));
  }
  subscriber.reset();
  publisher.reset();
  check_unharmed(rig, good);
}

// Stands between a client and the host, and can stand still.
class Relay {
 public:
  explicit Relay(std::uint16_t port) : host_(test_support::connect_plain("127.0.0.1", port)) {
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends_.data()) == 0);
  }
  ~Relay() {
    ::shutdown(host_, SHUT_RDWR);
    if (pump_.joinable()) {
      pump_.join();
    }
    ::close(ends_[1]);
    ::close(host_);
  }
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;

  // The client's end, which is the client's to close.
  int client_end() const { return ends_[0]; }
  // Passes on a part of what the client says first, and keeps the rest.
  void pass_a_part() {
    std::array<char, 4096> bytes{};
    const ssize_t got = ::recv(ends_[1], bytes.data(), bytes.size(), 0);
    REQUIRE(got > 100);
    REQUIRE(::send(host_, bytes.data(), 100, MSG_NOSIGNAL) == 100);
    kept_.assign(bytes.data() + 100, static_cast<std::size_t>(got) - 100);
  }
  // Passes on everything from now on.
  void go_on() {
    REQUIRE(::send(host_, kept_.data(), kept_.size(), MSG_NOSIGNAL) ==
            static_cast<ssize_t>(kept_.size()));
    pump_ = std::thread([this] { pump(); });
  }

 private:
  void pump() const {
    std::array<pollfd, 2> both{pollfd{host_, POLLIN, 0}, pollfd{ends_[1], POLLIN, 0}};
    while (::poll(both.data(), both.size(), -1) > 0 && pass(host_, ends_[1]) &&
           pass(ends_[1], host_)) {
    }
  }

  // What is there, if anything; false at the end.
  static bool pass(int from, int to) {
    std::array<char, 16'384> bytes{};
    const ssize_t got = ::recv(from, bytes.data(), bytes.size(), MSG_DONTWAIT);
    return got < 0 || (got > 0 && ::send(to, bytes.data(), static_cast<std::size_t>(got),
                                         MSG_NOSIGNAL) == got);
  }

  int host_;
  std::array<int, 2> ends_{-1, -1};
  std::string kept_;
  std::thread pump_;
};

TEST_CASE("a handshake that began before a reload comes to its end after it", "[hostile][tls]") {
  HostRig rig("");
  GoodClients good(rig);
  const test_support::TlsClientContext context;
  const std::string before = rig.serial();
  {
    Relay relay(rig.port(true));
    auto shaking = std::async(std::launch::async, [&context, end = relay.client_end()] {
      return WireClient(TlsClient(context, end));
    });
    relay.pass_a_part();
    CHECK(good.are_served());
    const std::string after = rig.renew_certificate();
    relay.go_on();
    auto client = shaking.get();
    const std::string seen = client.tls()->peer_serial();
    CHECK((seen == before || seen == after));
    CHECK(answer_to(client, get("/v1/good/later")) == "200 {\"later\":true}");
  }
  check_unharmed(rig, good);
}

TEST_CASE("a certificate that is none leaves the old one in use and is told of", "[hostile][tls]") {
  HostRig rig("");
  GoodClients good(rig);
  const std::string before = rig.serial();
  for (int i = 0; i < 3; ++i) {
    rig.spoil_certificate();
    CHECK(serial_now(rig) == before);
    CHECK(good.are_served());
  }
  const std::string log = rig.log();
  CHECK(log.find("\"tls.reload_failed\"") != std::string::npos);
  CHECK(log.find("server.crt") != std::string::npos);
  CHECK(log.find("the old certificate stays in use") != std::string::npos);
  const std::string next = rig.renew_certificate();
  CHECK(serial_now(rig) == next);
  check_unharmed(rig, good);
}

}  // namespace
}  // namespace plexsphere::hostile
