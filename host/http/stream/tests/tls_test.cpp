// The same promises over TLS, where a write that was begun must be repeated as it was.
#include <catch2/catch.hpp>
#include <thread>

#include "fixture.hpp"
#include "host/http/tls/certificates.hpp"
#include "host/http/tls/tests/tls_rig.hpp"
#include "support/temp_dir.hpp"
#include "support/test_certificate.hpp"
#include "support/tls_client.hpp"

namespace plexsphere::host::http {
namespace {

using namespace std::chrono_literals;  // NOLINT: test
using test_support::TlsClient;
using test_support::TlsClientContext;

std::shared_ptr<tls::Certificates> fresh_certificates() {
  const test_support::TempDir directory;
  const auto made = test_support::make_test_certificate(directory.path(), "server", {});
  return *tls::Certificates::load({made.certificate, made.key});
}

// One client whose handshake is done, and the side that is served.
struct TlsPair {
  explicit TlsPair(int receive_buffer = 0)
      : rig(fresh_certificates()),
        client(TlsClientContext({.timeout = 20s, .receive_buffer = receive_buffer}), "127.0.0.1",
               rig.port()),
        socket(rig.take()) {}

  DetachedConnection served() { return {std::move(socket), "127.0.0.1", kHead, true, nullptr}; }

  tls::TlsRig rig;
  TlsClient client;
  Poco::Net::StreamSocket socket;
};

StreamId open(HubFixture& fixture, TlsPair& pair) {
  const StreamId id = fixture.reserve(fixture.wanting({"news"}));
  fixture.hub.attach(id, pair.served());
  return id;
}

std::string chunk_of(const std::string& data) {
  return std::string(frame_of(data)->wire(true));
}

TEST_CASE("a stream over TLS is the same bytes, ended by a close_notify", "[stream][tls]") {
  HubFixture fixture;
  TlsPair pair;
  const StreamId id = open(fixture, pair);
  REQUIRE(fixture.publish("news", "a"));
  REQUIRE(fixture.publish("news", "b"));
  const std::string expected = kHead + chunk_of("a") + chunk_of("b");
  CHECK(pair.client.receive_exactly(expected.size()) == expected);
  REQUIRE(fixture.hub.drain(std::chrono::steady_clock::now() + kPatience));
  std::string rest;
  for (std::string part; !(part = pair.client.receive()).empty();) {
    rest += part;
  }
  CHECK(rest.find("retry: ") != std::string::npos);
  CHECK(rest.ends_with("\n\n\r\n0\r\n\r\n"));
  CHECK(fixture.ended(id) == StreamEnd::kDraining);
}

TEST_CASE("frames that TLS cannot write at once are not torn, not even by a keep-alive",
          "[stream][tls]") {
  HubFixture fixture({.send_buffer = 4096, .keep_alive = 10ms});
  TlsPair pair(4096);
  open(fixture, pair);
  std::string expected;
  for (int i = 0; i < 40; ++i) {
    const std::string data(20'000, static_cast<char>('a' + i % 26));
    REQUIRE(fixture.publish("news", data));
    expected += "data: " + data + "\n\n";
  }
  CHECK(pair.client.receive_exactly(kHead.size()) == kHead);
  std::string events;
  while (events.size() < expected.size()) {
    std::string size;
    while (!size.ends_with("\r\n")) {
      size += pair.client.receive_exactly(1);
    }
    const auto chunk = pair.client.receive_exactly(std::stoul(size, nullptr, 16) + 2);
    REQUIRE(chunk.ends_with("\n\n\r\n"));
    if (chunk != ":keep-alive\n\n\r\n") {
      events += chunk.substr(0, chunk.size() - 2);
    }
  }
  CHECK(events == expected);
}

TEST_CASE("a stalled reader over TLS is put out, one that leaves is noticed", "[stream][tls]") {
  HubFixture fixture({.queue_frames = 16, .send_buffer = 4096});
  TlsPair stalled(4096);
  TlsPair leaving;
  const StreamId slow = open(fixture, stalled);
  const StreamId left = open(fixture, leaving);
  leaving.client.finish();
  CHECK(fixture.ended(left) == StreamEnd::kClientLeft);
  for (int i = 0; fixture.ended_calls(slow) == 0 && i < 2'000; ++i) {
    REQUIRE(fixture.publish("news", std::string(8'000, 'x')));
    std::this_thread::yield();
  }
  CHECK(fixture.ended(slow) == StreamEnd::kSlow);
}

}  // namespace
}  // namespace plexsphere::host::http
