#include "host/http/tls/tls_socket.hpp"

#include <Poco/Exception.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <catch2/catch.hpp>
#include <chrono>
#include <future>
#include <string>
#include <string_view>

#include "host/http/tls/certificates.hpp"
#include "host/http/tls/tests/tls_rig.hpp"
#include "support/temp_dir.hpp"
#include "support/test_certificate.hpp"
#include "support/tls_client.hpp"
#include "support/wait_until.hpp"

namespace plexsphere::host::http::tls {
namespace {

using namespace std::chrono_literals;
using Poco::Net::StreamSocket;
using test_support::TempDir;
using test_support::TestKey;
using test_support::TlsClient;
using test_support::TlsClientContext;
using test_support::TlsClientOptions;
using test_support::TlsVersion;

std::shared_ptr<Certificates> fresh_certificates(TestKey key = TestKey::kEc) {
  const TempDir directory;
  const auto made = test_support::make_test_certificate(directory.path(), "server", {.key = key});
  return *Certificates::load({made.certificate, made.key});
}

// Both ends of one connection.
struct Pair {
  TlsRig rig;
  TlsClient client;
  StreamSocket server;

  explicit Pair(const TlsClientOptions& options = {}, TestKey key = TestKey::kEc)
      : rig(fresh_certificates(key)),
        client(TlsClientContext(options), "127.0.0.1", rig.port()),
        server(rig.take()) {}
};

// Bytes that do not repeat within any length that matters here.
std::string noise(std::size_t size) {
  std::string bytes(size, '\0');
  std::uint32_t state = 2463534242;
  for (char& byte : bytes) {
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    byte = static_cast<char>(state);
  }
  return bytes;
}

// Sends until the kernel takes no more; gives how much of `data` it took.
std::size_t fill(StreamSocket& socket, std::string_view data) {
  std::size_t sent = 0;
  while (sent < data.size()) {
    const int put = socket.sendBytes(data.data() + sent, static_cast<int>(data.size() - sent));
    if (put < 0) {
      break;
    }
    sent += static_cast<std::size_t>(put);
  }
  return sent;
}

bool wait_writable(const StreamSocket& socket) {
  pollfd waiting{socket.impl()->sockfd(), POLLOUT, 0};
  return ::poll(&waiting, 1, 60'000) == 1;
}

bool send_all(StreamSocket& socket, std::string_view data) {
  while (true) {
    data.remove_prefix(fill(socket, data));
    if (data.empty()) {
      return true;
    }
    if (!wait_writable(socket)) {
      return false;
    }
  }
}

TEST_CASE("TLS 1.2 and 1.3 are spoken with EC and RSA keys", "[tls]") {
  const auto version = GENERATE(TlsVersion::k1_2, TlsVersion::k1_3);
  const auto key = GENERATE(TestKey::kEc, TestKey::kRsa);
  Pair pair({.version = version}, key);
  CHECK(pair.client.version() == (version == TlsVersion::k1_2 ? "TLSv1.2" : "TLSv1.3"));
  CHECK(pair.client.cipher().find("CBC") == std::string::npos);
  CHECK(pair.server.secure());
  pair.client.send("ping");
  CHECK(receive_exactly(pair.server, 4) == "ping");
  CHECK(pair.server.sendBytes("pong", 4) == 4);
  CHECK(pair.client.receive_exactly(4) == "pong");
}

TEST_CASE("TLS 1.1 is refused", "[tls]") {
  TlsRig rig(fresh_certificates());
  CHECK_THROWS_WITH(
      TlsClient(TlsClientContext({.version = TlsVersion::k1_1}), "127.0.0.1", rig.port()),
      Catch::Contains("alert protocol version"));
  CHECK(test_support::wait_until(20s, [&] { return rig.handshakes().failed() == 1; }));
  CHECK(rig.handshakes().succeeded() == 0);
}

TEST_CASE("http/1.1 is chosen when it is offered, and nothing else is an error", "[tls]") {
  CHECK(Pair({.protocols = {"h2", "http/1.1"}}).client.protocol() == "http/1.1");
  CHECK(Pair({.protocols = {"h2"}}).client.protocol().empty());
  CHECK(Pair().client.protocol().empty());
}

TEST_CASE("megabytes go both ways over an edge-triggered registration", "[tls]") {
  const auto version = GENERATE(TlsVersion::k1_2, TlsVersion::k1_3);
  Pair pair({.version = version, .timeout = 60s, .receive_buffer = 16 * 1024});
  auto echoed = std::async(std::launch::async, [&] { return echo_until_end(pair.server); });
  // The client takes nothing until it has sent all: every answer blocks meanwhile.
  const std::string data = noise(6'000'001);
  for (std::size_t at = 0, step = 1; at < data.size(); step = step * 3 % 70'001 + 1) {
    pair.client.send(std::string_view(data).substr(at, step));
    at += step;
  }
  CHECK(pair.client.receive_exactly(data.size()) == data);
  pair.client.finish();
  CHECK(echoed.get() == data.size());
}

TEST_CASE("keys change while answers wait for the client", "[tls]") {
  Pair pair({.version = TlsVersion::k1_3, .timeout = 60s, .receive_buffer = 16 * 1024});
  auto echoed = std::async(std::launch::async, [&] { return echo_until_end(pair.server); });
  const std::string data = noise(5'000'000);
  pair.client.send(std::string_view(data).substr(0, 4'500'000));
  pair.client.update_keys();
  pair.client.send(std::string_view(data).substr(4'500'000));
  CHECK(pair.client.receive_exactly(data.size()) == data);
  pair.client.update_keys();
  pair.client.send("and again");
  CHECK(pair.client.receive_exactly(9) == "and again");
  pair.client.finish();
  CHECK(echoed.get() == data.size() + 9);
}

TEST_CASE("bytes that OpenSSL holds are told of and received", "[tls]") {
  const auto version = GENERATE(TlsVersion::k1_2, TlsVersion::k1_3);
  Pair pair({.version = version});
  pair.client.send("first second third");
  std::array<char, 6> word{};
  REQUIRE(receive_something(pair.server, word.data(), 6) == 6);
  CHECK(pair.server.available() == 12);
  CHECK(pair.server.poll(Poco::Timespan(0), Poco::Net::Socket::SELECT_READ));
  REQUIRE(pair.server.receiveBytes(word.data(), 6) == 6);
  REQUIRE(pair.server.receiveBytes(word.data(), 6) == 6);
  CHECK(std::string(word.data(), 6) == " third");
  CHECK(pair.server.available() == 0);
  CHECK(pair.server.receiveBytes(word.data(), 6) == -1);
  CHECK_FALSE(pair.server.poll(Poco::Timespan(0), Poco::Net::Socket::SELECT_READ));
}

TEST_CASE("bytes that came with the end of the handshake are not lost", "[tls]") {
  TlsRig rig(fresh_certificates());
  const TlsClientContext context;
  for (int i = 0; i < 20; ++i) {
    TlsClient client(context, "127.0.0.1", rig.port());
    client.send("early");
    auto server = rig.take();
    CHECK(receive_exactly(server, 5) == "early");
  }
}

TEST_CASE("a send that blocks goes on from other memory with more behind it", "[tls]") {
  Pair pair({.timeout = 60s, .receive_buffer = 16 * 1024});
  const std::string data = noise(8'000'000);
  const std::size_t taken = fill(pair.server, data);
  REQUIRE(taken < data.size());
  auto rest = std::async(std::launch::async,
                         [&] { return send_all(pair.server, data.substr(taken) + "behind"); });
  CHECK(pair.client.receive_exactly(data.size() + 6) == data + "behind");
  CHECK(rest.get());
}

TEST_CASE("several buffers are sent as one stream, blocked or not", "[tls]") {
  Pair pair({.timeout = 60s, .receive_buffer = 16 * 1024});
  std::string data = noise(9'000'000);
  auto received =
      std::async(std::launch::async, [&] { return pair.client.receive_exactly(data.size()); });
  std::size_t sent = 0;
  while (sent < data.size()) {
    Poco::Net::SocketBufVec buffers;
    buffers.push_back(Poco::Net::Socket::makeBuffer(data.data(), 0));
    for (std::size_t at = sent, step = 1; at < data.size() && buffers.size() < 60;
         step = step * 5 % 40'009 + 1) {
      const std::size_t part = std::min(step, data.size() - at);
      buffers.push_back(Poco::Net::Socket::makeBuffer(data.data() + at, part));
      at += part;
    }
    const int put = pair.server.sendBytes(buffers);
    sent += put > 0 ? static_cast<std::size_t>(put) : 0;
    REQUIRE((put >= 0 || wait_writable(pair.server)));
  }
  CHECK(received.get() == data);
}

TEST_CASE("close_notify and a bare FIN are both an end, and sending goes on after one", "[tls]") {
  char byte = 0;
  Pair polite;
  polite.client.finish();
  CHECK(receive_something(polite.server, &byte, 1) == 0);
  CHECK(polite.server.sendBytes("answer", 6) == 6);
  CHECK(polite.client.receive_exactly(6) == "answer");

  Pair bare;
  REQUIRE(::shutdown(bare.client.descriptor(), SHUT_WR) == 0);
  CHECK(receive_something(bare.server, &byte, 1) == 0);
}

TEST_CASE("closing says goodbye", "[tls]") {
  Pair closed;
  closed.server.close();
  CHECK(closed.client.receive().empty());

  Pair dropped;
  dropped.server = StreamSocket();
  CHECK(dropped.client.receive().empty());

  Pair half;
  half.server.shutdownSend();
  CHECK(half.client.receive().empty());
  half.client.send("one more");
  CHECK(receive_exactly(half.server, 8) == "one more");
}

TEST_CASE("closing does not wait for a client that takes nothing", "[tls]") {
  Pair pair({.timeout = 60s, .receive_buffer = 16 * 1024});
  const std::string data = noise(20'000'000);
  REQUIRE(fill(pair.server, data) < data.size());
  const auto begun = std::chrono::steady_clock::now();
  pair.server.close();
  CHECK(std::chrono::steady_clock::now() - begun < 2s);
}

TEST_CASE("a connection that is reset throws on both sides and raises no signal", "[tls]") {
  Pair pair;
  pair.client.abort();
  char byte = 0;
  CHECK_THROWS_AS(receive_something(pair.server, &byte, 1), Poco::IOException);
  CHECK_THROWS_AS(pair.server.sendBytes("x", 1), Poco::IOException);
  CHECK_THROWS_AS(pair.server.receiveBytes(&byte, 1), Poco::IOException);
}

TEST_CASE("bytes that are no TLS break an established connection", "[tls]") {
  Pair pair;
  REQUIRE(::send(pair.client.descriptor(), "GET / HTTP/1.1\r\n", 16, MSG_NOSIGNAL) == 16);
  char byte = 0;
  CHECK_THROWS_AS(receive_something(pair.server, &byte, 1), Poco::IOException);
  CHECK_THROWS_AS(pair.server.sendBytes("x", 1), Poco::IOException);
}

TEST_CASE("a flood of records without data ends the connection", "[tls]") {
  Pair pair({.version = TlsVersion::k1_3});
  for (int i = 0; i < 8'000; ++i) {
    pair.client.update_keys();
  }
  char byte = 0;
  CHECK_THROWS_AS(receive_something(pair.server, &byte, 1), Poco::IOException);
  const auto* impl = dynamic_cast<TlsSocketImpl*>(pair.server.impl());
  REQUIRE(impl != nullptr);
  CHECK(impl->failure() == "too many records without data");
}

TEST_CASE("whatever would go around TLS is refused", "[tls]") {
  Pair pair;
  CHECK_THROWS_AS(pair.server.sendUrgent('x'), Poco::NotImplementedException);
  CHECK_THROWS_AS(pair.server.setBlocking(true), Poco::NotImplementedException);
  char byte = 0;
  CHECK_THROWS_AS(pair.server.receiveBytes(&byte, 1, MSG_PEEK), Poco::NotImplementedException);
}

}  // namespace
}  // namespace plexsphere::host::http::tls
