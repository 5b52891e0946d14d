// What becomes of clients that the end of the engine finds half-way, and how long they may hold it.
#include "echo_rig.hpp"
#include "host/base/file.hpp"
#include "host/http/tls/certificates.hpp"
#include "support/temp_dir.hpp"
#include "support/test_certificate.hpp"
#include "support/tls_client.hpp"
#include "support/wire_client.hpp"

namespace plexsphere::host::http {
namespace {

using test_support::TlsClient;
using test_support::WireClient;

std::uint16_t port_of(const std::string& address) {
  return static_cast<std::uint16_t>(std::stoul(address.substr(address.rfind(':') + 1)));
}

std::shared_ptr<tls::Certificates> fresh_certificates() {
  const test_support::TempDir directory;
  const auto made = test_support::make_test_certificate(directory.path());
  return *tls::Certificates::load({made.certificate, made.key});
}

struct Secure {
  Sink sink;
  std::unique_ptr<Engine> engine;

  explicit Secure(std::chrono::milliseconds handshake_timeout = 60s)
      : engine(make_epoll_engine(sink, {.workers = 2,
                                        .certificates = fresh_certificates(),
                                        .handshake_timeout = handshake_timeout})) {
    REQUIRE(engine->listen("tls:127.0.0.1:0").ok());
  }
  // A connection that the engine has accepted.
  int connect() const {
    const auto before = engine->figures().accepted;
    const int fd = test_support::connect_plain("127.0.0.1", port_of(engine->addresses().front()));
    REQUIRE(test_support::wait_until(10s, [&] { return engine->figures().accepted > before; }));
    return fd;
  }
};

TEST_CASE("a client in its handshake when the listener closes is served", "[http]") {
  Secure secure;
  const int fd = secure.connect();
  secure.engine->stop_accepting();
  CHECK_FALSE(secure.engine->wait_idle(Clock::now() + 20ms));
  TlsClient client(test_support::TlsClientContext{}, fd);
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(client.receive_until("\r\n\r\n").find(" 200 OK") != std::string::npos);
  CHECK(secure.engine->wait_idle(Clock::now() + 10s));
}

TEST_CASE("a handshake that was finished at the end leaves time for a request, and no more",
          "[http]") {
  Secure secure;
  const int fd = secure.connect();
  secure.engine->stop_accepting();
  TlsClient client(test_support::TlsClientContext{}, fd);
  const auto since = Clock::now();
  CHECK(secure.engine->wait_idle(since + 20s));
  CHECK(Clock::now() - since > 1s);
  CHECK(secure.engine->figures().connections == 0);
}

TEST_CASE("a client that says no hello does not hold the end for a whole handshake", "[http]") {
  Secure secure;
  const FileDescriptor silent(secure.connect());
  secure.engine->stop_accepting();
  CHECK(secure.engine->wait_idle(Clock::now() + 20s));
  CHECK(secure.engine->figures().tls_failures == 1);
}

TEST_CASE("force cuts handshakes too", "[http]") {
  Secure secure;
  const FileDescriptor silent(secure.connect());
  secure.engine->force_close();
  CHECK(secure.engine->wait_idle(Clock::now() + 20s));
  CHECK(secure.engine->figures().connections == 0);
}

TEST_CASE("a client that sends a byte now and then does not hold the end", "[http]") {
  Fixture fixture({.workers = 2, .idle_timeout = 60s, .receive_timeout = 60s});
  const bool begun = GENERATE(true, false);
  WireClient slow(port_of(fixture.engine->addresses().front()));
  if (begun) {
    CHECK(slow.send("GET / HTTP/1.1\r\nHost: a\r\n"));
  }
  REQUIRE(test_support::wait_until(10s, [&] { return fixture.engine->figures().accepted == 1; }));
  fixture.engine->stop_accepting();
  if (!begun) {
    CHECK(slow.send("GET / HTTP/1.1\r\nHost: a\r\n"));
  }
  const auto until = Clock::now() + 20s;
  while (!fixture.engine->wait_idle(Clock::now() + 100ms) && Clock::now() < until) {
    (void)slow.send("a");
  }
  CHECK(Clock::now() < until);
  CHECK(slow.answer().value().status == 408);
}

TEST_CASE("an engine goes while workers and others are about to answer", "[http]") {
  // No round can be told when to go wrong; many rounds, watched by the sanitizers, do it.
  for (int round = 0; round < 40; ++round) {
    Fixture fixture({.workers = 4});
    std::vector<std::unique_ptr<WireClient>> clients;
    for (int i = 0; i < 4; ++i) {
      const auto port = port_of(fixture.engine->addresses().front());
      clients.push_back(std::make_unique<WireClient>(port));
      std::string requests;
      for (int k = 0; k < 50; ++k) {
        requests += "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
      }
      (void)clients.back()->send(requests + "GET /held HTTP/1.1\r\nHost: x\r\n\r\n");
    }
    REQUIRE(test_support::wait_until(10s, [&] { return fixture.sink.held() > 0; }));
    std::jthread late([&] { fixture.sink.release(); });
    fixture.engine.reset();
    late.join();
    fixture.sink.release();  // what was held meanwhile is answered to nobody
  }
}

}  // namespace
}  // namespace plexsphere::host::http
