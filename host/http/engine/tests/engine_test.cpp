// The engine on the wire: framing, ceilings, keep-alive, drain, force.
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <future>
#include <thread>

#include "echo_rig.hpp"
#include "host/base/file.hpp"
#include "support/temp_dir.hpp"
#include "support/wait_until.hpp"

namespace plexsphere::host::http {
namespace {

std::string read_to_end(int fd) {
  std::string all;
  char buffer[4096];
  for (ssize_t got = 0; (got = ::read(fd, buffer, sizeof(buffer))) > 0;) {
    all.append(buffer, static_cast<std::size_t>(got));
  }
  return all;
}

// Sends bytes, reads until the other end closes.
std::string talk(const Fixture& fixture, const std::string& bytes) {
  const FileDescriptor fd(fixture.connect());
  REQUIRE(::send(fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
          static_cast<ssize_t>(bytes.size()));
  ::shutdown(fd.get(), SHUT_WR);
  return read_to_end(fd.get());
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++found;
  }
  return found;
}

TEST_CASE("pipelined requests on one connection are all answered", "[http]") {
  Fixture fixture;
  const std::string one = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
  const auto answers = talk(fixture, one + one + one);
  CHECK(count(answers, "HTTP/1.1 200 OK") == 3);
}

TEST_CASE("bodies are read whole, by length and by chunk, up to the ceiling", "[http]") {
  Fixture fixture;
  test_support::HttpClient client;
  CHECK(client.request("POST", fixture.url() + "/", {}, "0123456789").body == "POST 0123456789");
  CHECK(client.request("POST", fixture.url() + "/", {}, "0123456789a").status == 413);
  const std::string head =
      "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
      "Connection: close\r\n\r\n";
  CHECK(talk(fixture, head + "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n").find("POST abcde") !=
        std::string::npos);
  CHECK(talk(fixture, head + "b\r\n0123456789a\r\n0\r\n\r\n").find(" 413 ") != std::string::npos);
}

TEST_CASE("bytes that are not one well-formed request are refused", "[http]") {
  Fixture fixture;
  const std::string both =
      "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n"
      "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
  CHECK(talk(fixture, both).find("HTTP/1.1 400 ") == 0);
  const std::string twice =
      "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab";
  CHECK(talk(fixture, twice).find("HTTP/1.1 400 ") == 0);
  const std::string early = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nab";
  CHECK(talk(fixture, early).find(" 200 ") == std::string::npos);
  CHECK(test_support::HttpClient().request("GET", fixture.url() + "/").status == 200);
}

TEST_CASE("HEAD gets the head only", "[http]") {
  Fixture fixture;
  const auto answer = talk(fixture, "HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  CHECK(answer.find("Content-Length: 5") != std::string::npos);
  CHECK(answer.substr(answer.size() - 4) == "\r\n\r\n");
}

TEST_CASE("a unix socket serves, replaces a stale one and is removed", "[http]") {
  const test_support::TempDir directory;
  const std::string path = directory.path() / "s";
  const auto bind_and_forget = [&path] {
    const FileDescriptor fd(::socket(AF_UNIX, SOCK_STREAM, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof(address.sun_path) - 1);
    REQUIRE(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0);
  };
  bind_and_forget();
  Sink sink;
  {
    auto engine = make_epoll_engine(sink, {.workers = 2});
    REQUIRE(engine->listen("unix:" + path).ok());
    CHECK(engine->addresses().front() == "unix:" + path);
    const FileDescriptor fd(::socket(AF_UNIX, SOCK_STREAM, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof(address.sun_path) - 1);
    REQUIRE(::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0);
    const std::string request = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    REQUIRE(::write(fd.get(), request.data(), request.size()) > 0);
    CHECK(read_to_end(fd.get()).find(" 200 OK") != std::string::npos);
  }
  CHECK_FALSE(std::filesystem::exists(path));
}

TEST_CASE("an address that cannot be bound is named", "[http]") {
  Sink sink;
  auto engine = make_epoll_engine(sink, {.workers = 1});
  for (const char* bad : {"192.0.2.1:80", "nonsense", ":x", "unix:/nowhere/at/all"}) {
    const auto status = engine->listen(bad);
    REQUIRE_FALSE(status.ok());
    CHECK(status.message().find(bad) != std::string::npos);
  }
}

TEST_CASE("a port that is taken is not shared", "[http]") {
  Fixture fixture;
  Sink sink;
  auto engine = make_epoll_engine(sink, {.workers = 1});
  CHECK_FALSE(engine->listen(fixture.engine->addresses().front()).ok());
  const auto address = fixture.engine->addresses().front();
  CHECK_FALSE(engine->listen(address.substr(address.rfind(':'))).ok());
}

TEST_CASE("requests under way finish after the listener has closed", "[http]") {
  Fixture fixture;
  auto answer = std::async(std::launch::async, [&] {
    return test_support::HttpClient().request("GET", fixture.url() + "/held").body;
  });
  REQUIRE(test_support::wait_until(10s, [&] { return fixture.sink.held() == 1; }));
  fixture.engine->stop_accepting();
  CHECK_THROWS(test_support::HttpClient(1s).request("GET", fixture.url() + "/"));
  CHECK_FALSE(fixture.engine->wait_idle(Clock::now() + 20ms));
  CHECK(fixture.engine->figures().in_flight == 1);
  fixture.sink.release();
  CHECK(answer.get() == "released");
  CHECK(fixture.engine->wait_idle(Clock::now() + 10s));
}

TEST_CASE("idle kept connections end when the listener closes", "[http]") {
  Fixture fixture;
  const FileDescriptor fd(fixture.connect());
  const std::string request = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
  REQUIRE(::write(fd.get(), request.data(), request.size()) > 0);
  char first = 0;
  REQUIRE(::read(fd.get(), &first, 1) == 1);
  fixture.engine->stop_accepting();
  read_to_end(fd.get());  // returns because the engine closes
  CHECK(fixture.engine->wait_idle(Clock::now() + 10s));
}

TEST_CASE("answers ask clients to leave once discouraged", "[http]") {
  Fixture fixture;
  fixture.engine->discourage();
  const auto answer = test_support::HttpClient().request("GET", fixture.url() + "/");
  CHECK(answer.status == 200);
  CHECK(answer.headers.at("Connection") == "close");
}

TEST_CASE("force cuts a connection whose answer does not come", "[http]") {
  Fixture fixture;
  auto answer = std::async(std::launch::async, [&] {
    try {
      return test_support::HttpClient().request("GET", fixture.url() + "/held").status;
    } catch (const std::exception&) {
      return 0;
    }
  });
  REQUIRE(test_support::wait_until(10s, [&] { return fixture.sink.held() == 1; }));
  fixture.engine->stop_accepting();
  fixture.engine->force_close();
  CHECK(answer.get() == 0);
  fixture.sink.release();
  CHECK(fixture.engine->wait_idle(Clock::now() + 10s));
}

TEST_CASE("requests beyond those that may wait are shed with 503", "[http]") {
  Fixture fixture({.workers = 1, .max_waiting = 1});
  auto first = fixture.get_later("/block");
  REQUIRE(test_support::wait_until(10s, [&] { return fixture.sink.blocked() == 1; }));
  auto second = fixture.get_later("/");
  REQUIRE(test_support::wait_until(
      10s, [&] { return fixture.engine->figures().waiting_blocking == 1; }));
  const auto third = test_support::HttpClient(5s).request("GET", fixture.url() + "/");
  CHECK(third.status == 503);
  CHECK(third.body == "overloaded");
  fixture.sink.unblock();
  CHECK(first.get() == 200);
  CHECK(second.get() == 200);
}

TEST_CASE("a request that waited too long for a worker is shed", "[http]") {
  Fixture fixture({.workers = 1, .max_wait = 50ms});
  auto first = fixture.get_later("/block");
  REQUIRE(test_support::wait_until(10s, [&] { return fixture.sink.blocked() == 1; }));
  auto second = fixture.get_later("/");
  REQUIRE(test_support::wait_until(
      10s, [&] { return fixture.engine->figures().waiting_blocking == 1; }));
  const auto until = Clock::now() + 60ms;
  REQUIRE(test_support::wait_until(10s, [&] { return Clock::now() > until; }));
  fixture.sink.unblock();
  CHECK(first.get() == 200);
  CHECK(second.get() == 503);
}

TEST_CASE("a request is as old as the wait for its worker makes it", "[http]") {
  Fixture fixture({.workers = 1, .max_wait = 20s});
  auto first = fixture.get_later("/block");
  REQUIRE(test_support::wait_until(10s, [&] { return fixture.sink.blocked() == 1; }));
  auto age = std::async(std::launch::async, [url = fixture.url() + "/age"] {
    return std::stoi(test_support::HttpClient(20s).request("GET", url).body);
  });
  REQUIRE(test_support::wait_until(
      10s, [&] { return fixture.engine->figures().waiting_blocking == 1; }));
  const auto until = Clock::now() + 60ms;
  REQUIRE(test_support::wait_until(10s, [&] { return Clock::now() > until; }));
  fixture.sink.unblock();
  CHECK(first.get() == 200);
  CHECK(age.get() >= 60);
}

TEST_CASE("a blocked lane does not hold up the fast one", "[http]") {
  Fixture fixture({.fast_workers = 1, .workers = 1});
  auto first = fixture.get_later("/block");
  REQUIRE(test_support::wait_until(10s, [&] { return fixture.sink.blocked() == 1; }));
  CHECK(test_support::HttpClient(5s).request("GET", fixture.url() + "/fast").status == 200);
  fixture.sink.unblock();
  CHECK(first.get() == 200);
}

TEST_CASE("a thousand idle connections need no worker", "[http]") {
  Fixture fixture({.workers = 1});
  std::vector<FileDescriptor> idle;
  for (int i = 0; i < 1000; ++i) {
    idle.emplace_back(fixture.connect());
  }
  CHECK(test_support::HttpClient(5s).request("GET", fixture.url() + "/").status == 200);
  CHECK(fixture.engine->figures().connections >= 1000);
}

TEST_CASE("connections beyond the limit are told so, in total and by address", "[http]") {
  const bool total = GENERATE(true, false);
  EngineOptions options;
  if (total) {
    options.max_connections = 2;
    options.max_connections_per_address = 0;
  } else {
    options.max_connections_per_address = 2;
  }
  Fixture fixture(options);
  const FileDescriptor first(fixture.connect());
  const FileDescriptor second(fixture.connect());
  CHECK(read_to_end(FileDescriptor(fixture.connect()).get()).find("too_many_connections") !=
        std::string::npos);
  CHECK(fixture.engine->figures().refused_in_total == (total ? 1 : 0));
  CHECK(fixture.engine->figures().refused_by_address == (total ? 0 : 1));
}

TEST_CASE("a client that is turned away reads why, though its request comes after the answer",
          "[http]") {
  EngineOptions options;
  options.max_connections = 0;
  Fixture fixture(options);
  const FileDescriptor fd(fixture.connect());
  REQUIRE(test_support::wait_until(
      10s, [&] { return fixture.engine->figures().refused_in_total == 1; }));
  for (int i = 0; i < 2; ++i) {  // a closed socket answers the first with a reset
    CHECK(::send(fd.get(), "GET / HTTP/1.1\r\n", 16, MSG_NOSIGNAL) == 16);
  }
  CHECK(read_to_end(fd.get()).find("too_many_connections") != std::string::npos);
}

TEST_CASE("a crowd that is turned away is told, and takes no place", "[http]") {
  EngineOptions options;
  options.max_connections = 1;
  options.max_connections_per_address = 0;
  Fixture fixture(options);
  FileDescriptor good(fixture.connect());
  std::vector<FileDescriptor> crowd;
  for (int i = 0; i < 100; ++i) {  // more than are waited for
    crowd.emplace_back(fixture.connect());
  }
  for (const auto& one : crowd) {
    CHECK(read_to_end(one.get()).find("too_many_connections") != std::string::npos);
  }
  CHECK(fixture.engine->figures().connections == 1);
  good = FileDescriptor();
  REQUIRE(
      test_support::wait_until(10s, [&] { return fixture.engine->figures().connections == 0; }));
  CHECK(test_support::HttpClient().request("GET", fixture.url() + "/").status == 200);
}

TEST_CASE("one address may fill a quarter of the connections unless told otherwise", "[http]") {
  EngineOptions options;
  options.max_connections = 12;
  Fixture fixture(options);
  std::vector<FileDescriptor> three;
  for (int i = 0; i < 3; ++i) {
    three.emplace_back(fixture.connect());
  }
  CHECK(read_to_end(FileDescriptor(fixture.connect()).get()).find("too_many_connections") !=
        std::string::npos);
  three.pop_back();
  CHECK(test_support::wait_until(10s, [&] { return fixture.engine->figures().connections == 2; }));
  CHECK(test_support::HttpClient().request("GET", fixture.url() + "/").status == 200);
}

TEST_CASE("an address that stands for many clients is exempt from the limit by address", "[http]") {
  EngineOptions options;
  options.max_connections_per_address = 1;
  options.is_proxy = [](std::string_view address) { return address == "127.0.0.1"; };
  Fixture fixture(options);
  const FileDescriptor first(fixture.connect());
  CHECK(talk(fixture, "GET / HTTP/1.0\r\n\r\n").find(" 200 ") != std::string::npos);
}

TEST_CASE("a client that sends a byte now and then is given up at the deadline", "[http]") {
  Fixture fixture({.receive_timeout = 300ms});
  const FileDescriptor slow(fixture.connect());
  const std::string part = "GET / HTTP/1.1\r\nHos";
  REQUIRE(::send(slow.get(), part.data(), part.size(), MSG_NOSIGNAL) > 0);
  CHECK(test_support::HttpClient(5s).request("GET", fixture.url() + "/").status == 200);
  CHECK(read_to_end(slow.get()).find("HTTP/1.1 408 ") == 0);
}

TEST_CASE("an idle connection is closed without a word", "[http]") {
  Fixture fixture({.idle_timeout = 200ms});
  CHECK(read_to_end(FileDescriptor(fixture.connect()).get()).empty());
  CHECK(fixture.engine->figures().closed_idle == 1);
}

TEST_CASE("a client that waits for a 100 gets it, or the refusal at once", "[http]") {
  Fixture fixture;
  const FileDescriptor fd(fixture.connect());
  const std::string head =
      "POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n"
      "Connection: close\r\n\r\n";
  REQUIRE(::send(fd.get(), head.data(), head.size(), MSG_NOSIGNAL) > 0);
  char interim[25] = {};
  REQUIRE(::recv(fd.get(), interim, sizeof(interim), MSG_WAITALL) == 25);
  CHECK(std::string(interim, 25) == "HTTP/1.1 100 Continue\r\n\r\n");
  REQUIRE(::send(fd.get(), "abc", 3, MSG_NOSIGNAL) == 3);
  CHECK(read_to_end(fd.get()).find("POST abc") != std::string::npos);
  CHECK(talk(fixture,
             "POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
             "Content-Length: 9999999\r\n\r\n")
            .find("HTTP/1.1 413 ") == 0);
}

TEST_CASE("a large answer reaches a client that reads late", "[http]") {
  Fixture fixture;
  const FileDescriptor fd(fixture.connect());
  const std::string request = "GET /large HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
  REQUIRE(::send(fd.get(), request.data(), request.size(), MSG_NOSIGNAL) > 0);
  REQUIRE(test_support::wait_until(10s, [&] { return fixture.engine->figures().accepted == 1; }));
  CHECK_FALSE(fixture.engine->wait_idle(Clock::now() + 300ms));
  CHECK(read_to_end(fd.get()).size() > kLarge);
  CHECK(fixture.engine->wait_idle(Clock::now() + 10s));
}

TEST_CASE("requests sent byte by byte are one request each", "[http]") {
  Fixture fixture;
  const FileDescriptor fd(fixture.connect());
  const std::string all =
      "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab"
      "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
  for (const char byte : all) {
    REQUIRE(::send(fd.get(), &byte, 1, MSG_NOSIGNAL) == 1);
  }
  const auto answers = read_to_end(fd.get());
  CHECK(count(answers, "HTTP/1.1 200 OK") == 2);
  CHECK(answers.find("POST ab") != std::string::npos);
}

TEST_CASE("a reply that is never given ends as 500", "[http]") {
  Fixture fixture;
  CHECK(test_support::HttpClient(5s).request("GET", fixture.url() + "/dropped").status == 500);
}

TEST_CASE("an adopted listening socket is served, and any other descriptor is refused", "[http]") {
  Sink sink;
  auto engine = make_epoll_engine(sink, {});
  const int listening = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in any{};
  any.sin_family = AF_INET;
  any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  REQUIRE(::bind(listening, reinterpret_cast<const sockaddr*>(&any), sizeof(any)) == 0);
  CHECK_FALSE(engine->adopt(::dup(listening), false).ok());
  REQUIRE(::listen(listening, 8) == 0);
  REQUIRE(engine->adopt(listening, false).ok());
  CHECK(test_support::HttpClient(5s)
            .request("GET", "http://" + engine->addresses().front() + "/")
            .status == 200);
}

}  // namespace
}  // namespace plexsphere::host::http
