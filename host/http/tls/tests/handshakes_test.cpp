#include "host/http/tls/handshakes.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <future>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "host/base/file.hpp"
#include "host/http/tls/certificates.hpp"
#include "host/http/tls/tests/tls_rig.hpp"
#include "support/temp_dir.hpp"
#include "support/test_certificate.hpp"
#include "support/tls_client.hpp"
#include "support/wait_until.hpp"

namespace plexsphere::host::http::tls {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using test_support::connect_plain;
using test_support::TempDir;
using test_support::TlsClient;
using test_support::TlsClientContext;
using test_support::wait_until;

std::shared_ptr<Certificates> fresh_certificates() {
  const TempDir directory;
  const auto made = test_support::make_test_certificate(directory.path());
  return *Certificates::load({made.certificate, made.key});
}

FileDescriptor connect_to(const TlsRig& rig) {
  return FileDescriptor(connect_plain("127.0.0.1", rig.port()));
}

// Whether the other end closes within 20 seconds; whatever it sends before is ignored.
bool closes(const FileDescriptor& connection) {
  char byte = 0;
  while (true) {
    pollfd waiting{connection.get(), POLLIN, 0};
    if (::poll(&waiting, 1, 20'000) != 1) {
      return false;
    }
    if (::recv(connection.get(), &byte, 1, 0) <= 0) {
      return true;
    }
  }
}

TEST_CASE("a handshake that stops is closed at its deadline while others succeed", "[tls]") {
  TlsRig rig(fresh_certificates(), 1s);
  const auto begun = Clock::now();
  const auto silent = connect_to(rig);
  const auto partial = connect_to(rig);
  const std::string_view beginning("\x16\x03\x01\x02\x00\x01\x00", 7);
  REQUIRE(::send(partial.get(), beginning.data(), beginning.size(), MSG_NOSIGNAL) == 7);

  const TlsClient good(TlsClientContext{}, "127.0.0.1", rig.port());
  CHECK(rig.take().secure());
  CHECK(rig.handshakes().succeeded() == 1);
  CHECK(closes(silent));
  CHECK(closes(partial));
  CHECK(Clock::now() - begun >= 1s);
  CHECK(wait_until(20s, [&] { return rig.handshakes().failed() == 2; }));
  CHECK(rig.handshakes().under_way() == 0);
}

TEST_CASE("a client that dribbles its hello gains no time by it", "[tls]") {
  TlsRig rig(fresh_certificates(), 500ms);
  const auto slow = connect_to(rig);
  const std::string hello = std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc", 9);
  std::size_t sent = 0;
  CHECK(wait_until(20s, [&] {
    const char* next = sent < hello.size() ? &hello[sent] : "\0";
    ++sent;
    static_cast<void>(::send(slow.get(), next, 1, MSG_NOSIGNAL));
    return rig.handshakes().failed() == 1;
  }));
  CHECK(sent > 1);
}

TEST_CASE("what is no TLS fails at once", "[tls]") {
  TlsRig rig(fresh_certificates(), 600s);
  const auto plain = connect_to(rig);
  const std::string_view request = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
  REQUIRE(::send(plain.get(), request.data(), request.size(), MSG_NOSIGNAL) > 0);
  CHECK(closes(plain));
  CHECK(wait_until(20s, [&] { return rig.handshakes().failed() == 1; }));
}

TEST_CASE("a client that leaves during its handshake is forgotten at once", "[tls]") {
  TlsRig rig(fresh_certificates(), 600s);
  { const auto gone = connect_to(rig); }
  CHECK(wait_until(20s, [&] { return rig.handshakes().failed() == 1; }));
  CHECK(rig.handshakes().under_way() == 0);
}

TEST_CASE("a crowd of silent clients does not keep a good one waiting", "[tls]") {
  TlsRig rig(fresh_certificates(), 600s);
  std::vector<FileDescriptor> crowd;
  for (int i = 0; i < 500; ++i) {
    crowd.push_back(connect_to(rig));
  }
  REQUIRE(wait_until(20s, [&] { return rig.handshakes().under_way() == 500; }));
  const TlsClient good(TlsClientContext{}, "127.0.0.1", rig.port());
  CHECK(rig.take().secure());
  CHECK(rig.handshakes().under_way() == 500);
  CHECK(rig.handshakes().failed() == 0);

  rig.stop();  // drops the crowd
  CHECK(closes(crowd.front()));
  CHECK(closes(crowd.back()));
}

// The first record that a TLS client sends.
std::string recorded_hello() {
  Poco::Net::ServerSocket listener(Poco::Net::SocketAddress("127.0.0.1", 0));
  auto client_failed = std::async(std::launch::async, [port = listener.address().port()] {
    try {
      TlsClient(TlsClientContext{}, "127.0.0.1", port);
    } catch (const std::runtime_error&) {
      return true;
    }
    return false;
  });
  auto accepted = listener.acceptConnection();
  const auto receive = [&accepted](std::size_t size) {
    std::string bytes(size, '\0');
    std::size_t done = 0;
    while (done < size) {
      done += static_cast<std::size_t>(
          accepted.receiveBytes(bytes.data() + done, static_cast<int>(size - done)));
    }
    return bytes;
  };
  auto hello = receive(5);
  hello +=
      receive(static_cast<unsigned char>(hello[3]) * 256U + static_cast<unsigned char>(hello[4]));
  accepted.close();
  CHECK(client_failed.get());
  return hello;
}

TEST_CASE("clients that stop after their hello do not keep a good one from beginning", "[tls]") {
  const auto hello = recorded_hello();
  TlsRig rig(fresh_certificates(), 600s);
  std::vector<FileDescriptor> crowd;
  for (int i = 0; i < 600; ++i) {
    crowd.push_back(connect_to(rig));
    REQUIRE(::send(crowd.back().get(), hello.data(), hello.size(), MSG_NOSIGNAL) ==
            static_cast<ssize_t>(hello.size()));
  }
  const TlsClient good(TlsClientContext{}, "127.0.0.1", rig.port());
  CHECK(rig.take().secure());
  CHECK(rig.handshakes().under_way() == 600);
  // Each of them has had its turn: the answer to its hello has come.
  for (const auto& client : crowd) {
    pollfd waiting{client.get(), POLLIN, 0};
    REQUIRE(::poll(&waiting, 1, 20'000) == 1);
    char content_type = 0;
    REQUIRE(::recv(client.get(), &content_type, 1, 0) == 1);
    REQUIRE(content_type == 22);
  }
}

TEST_CASE("in a hurry those that were silent are closed, and those that have begun go on",
          "[tls]") {
  const auto hello = recorded_hello();
  TlsRig rig(fresh_certificates(), 600s);
  const auto silent = connect_to(rig);
  const auto begun = connect_to(rig);
  REQUIRE(::send(begun.get(), hello.data(), hello.size(), MSG_NOSIGNAL) ==
          static_cast<ssize_t>(hello.size()));
  pollfd waiting{begun.get(), POLLIN, 0};
  REQUIRE(::poll(&waiting, 1, 20'000) == 1);  // the answer to its hello
  REQUIRE(wait_until(20s, [&] { return rig.handshakes().under_way() == 2; }));
  rig.handshakes().hurry_silent(10ms);
  CHECK(closes(silent));
  CHECK(wait_until(20s, [&] { return rig.handshakes().failed() == 1; }));
  CHECK(rig.handshakes().under_way() == 1);
  rig.handshakes().cut();
  CHECK(closes(begun));
  CHECK(wait_until(20s, [&] { return rig.handshakes().failed() == 2; }));
}

TEST_CASE("what travels with a socket arrives with it and is let go when it fails", "[tls]") {
  auto certificates = fresh_certificates();
  Poco::Net::ServerSocket listener(Poco::Net::SocketAddress("127.0.0.1", 0));
  auto slot = std::make_shared<int>(7);
  const std::weak_ptr<int> watched = slot;
  Handshakes handshakes(600s, [](Handshake) {});
  {
    const FileDescriptor client(connect_plain("127.0.0.1", listener.address().port()));
    handshakes.add({certificates->wrap(listener.acceptConnection()), "peer", std::move(slot)});
    CHECK_FALSE(watched.expired());
  }
  CHECK(wait_until(20s, [&] { return watched.expired(); }));
}

TEST_CASE("a socket that speaks no TLS is not taken", "[tls]") {
  Handshakes handshakes(600s, [](Handshake) {});
  CHECK_THROWS_AS(handshakes.add({Poco::Net::StreamSocket(), "", nullptr}), std::invalid_argument);
  CHECK(handshakes.under_way() == 0);
}

}  // namespace
}  // namespace plexsphere::host::http::tls
