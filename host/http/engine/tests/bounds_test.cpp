// What the engine holds for its clients has an end: bytes of bodies in total, and answers that
// nobody takes.
#include "echo_rig.hpp"
#include "support/wire_client.hpp"

namespace plexsphere::host::http {
namespace {

using test_support::WireClient;

std::uint16_t port_of(const Fixture& fixture) {
  const auto address = fixture.engine->addresses().front();
  return static_cast<std::uint16_t>(std::stoul(address.substr(address.rfind(':') + 1)));
}

std::string upload(std::size_t size) {
  return "POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n";
}

bool holds(const Fixture& fixture, std::size_t bytes) {
  return test_support::wait_until(
      10s, [&] { return fixture.engine->figures().buffered_bytes == bytes; });
}

TEST_CASE("bodies beyond the bytes held in total are refused until there is room", "[http]") {
  Fixture fixture({.workers = 2, .max_buffered_bytes = 100'000});
  WireClient first(port_of(fixture));
  CHECK(first.send(upload(60'000) + std::string(60'000, 'a')));
  REQUIRE(test_support::wait_until(10s, [&] { return fixture.sink.held() == 1; }));
  CHECK(holds(fixture, 60'000));  // with its handler

  const bool chunked = GENERATE(false, true);
  WireClient second(port_of(fixture));
  CHECK(second.send(chunked ? "POST /upload HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
                              "\r\nea60\r\n" +
                                  std::string(60'000, 'b') + "\r\n0\r\n\r\n"
                            : upload(60'000) + std::string(60'000, 'b')));
  const auto refused = second.answer().value();
  CHECK(refused.status == 503);
  CHECK(refused.body == "overloaded");
  CHECK(std::stoi(refused.headers.at("Retry-After")) >= 1);
  CHECK(refused.headers.at("Connection") == "close");
  CHECK(second.answers().empty());
  CHECK(fixture.sink.held() == 1);
  CHECK(holds(fixture, 60'000));

  WireClient small(port_of(fixture));  // requests without much of a body go on
  CHECK(small.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"));
  CHECK(small.answer().value().body == "POST hello");

  fixture.sink.release();
  CHECK(first.answer().value().status == 200);
  CHECK(holds(fixture, 0));
  WireClient third(port_of(fixture));
  CHECK(third.send(upload(60'000) + std::string(60'000, 'c')));
  REQUIRE(test_support::wait_until(10s, [&] { return fixture.sink.held() == 1; }));
  fixture.sink.release();
  CHECK(third.answer().value().status == 200);
}

TEST_CASE("a body that breaks off, or is dropped for its size, is held no longer", "[http]") {
  Fixture fixture({.workers = 2});
  {
    WireClient half(port_of(fixture));
    CHECK(half.send(upload(50'000) + std::string(20'000, 'a')));
    CHECK(holds(fixture, 20'000));
    half.reset();
  }
  CHECK(holds(fixture, 0));
  WireClient large(port_of(fixture));
  CHECK(large.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n01234"));
  CHECK(large.send("56789a"));
  CHECK(large.answer().value().status == 413);
  CHECK(holds(fixture, 0));
}

TEST_CASE("a client that announces a large body takes no room before it sends it", "[http]") {
  Fixture fixture({.workers = 2, .max_buffered_bytes = 100'000});
  std::vector<WireClient> announcing;
  for (int i = 0; i < 10; ++i) {
    announcing.emplace_back(port_of(fixture));
    CHECK(announcing.back().send(upload(90'000)));
  }
  WireClient sending(port_of(fixture));
  CHECK(sending.send(upload(90'000) + std::string(90'000, 'a')));
  CHECK(test_support::wait_until(10s, [&] { return fixture.sink.held() == 1; }));
  fixture.sink.release();
  CHECK(sending.answer().value().status == 200);
}

// Whatever else the connection has in store, an answer that was begun is not followed by another
// before its end: the client would take that for a part of it.
TEST_CASE("an answer that is not taken in time is cut, not mixed with another", "[http]") {
  Fixture fixture({.workers = 2, .receive_timeout = 300ms});
  WireClient slow(port_of(fixture), 10s, 4096);
  const bool whole = GENERATE(false, true);
  CHECK(slow.send("GET /large HTTP/1.1\r\nHost: a\r\n\r\n"));
  CHECK(slow.send(whole ? "GET / HTTP/1.1\r\nHost: a\r\n\r\n" : "GET / HTT"));
  const auto cut = [&] {
    const auto figures = fixture.engine->figures();
    return figures.accepted == 1 && figures.connections == 0;
  };
  REQUIRE(test_support::wait_until(20s, cut));
  CHECK(fixture.engine->figures().closed_untaken == 1);
  CHECK(fixture.engine->figures().closed_idle == 0);
  const auto taken = slow.rest();
  CHECK(taken.size() < kLarge);
  CHECK(taken.rfind("HTTP/1.1") == 0);
}

TEST_CASE("a client that sends on after its last answer does not keep its connection by it",
          "[http]") {
  Fixture fixture({.workers = 2, .idle_timeout = 60s, .receive_timeout = 60s});
  WireClient client(port_of(fixture));
  CHECK(client.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\nGET / HTTP"));
  CHECK(client.answer().value().status == 200);
  CHECK_FALSE(client.answer().has_value());
  CHECK(test_support::wait_until(20s, [&] {
    (void)client.send("/");
    return fixture.engine->figures().connections == 0;
  }));
}

TEST_CASE("an answer that is taken slowly but steadily is not cut", "[http]") {
  Fixture fixture({.workers = 2, .receive_timeout = 300ms});
  WireClient slow(port_of(fixture), 10s, 16 * 1024);
  CHECK(slow.send("GET /large HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"));
  std::size_t taken = 0;
  const auto until = Clock::now() + 1500ms;  // five times what a client may take nothing for
  REQUIRE(test_support::wait_until(10s, [&] {
    taken += slow.take_some();
    return Clock::now() > until;
  }));
  CHECK(taken < kLarge / 2);
  CHECK(taken + slow.rest().size() > kLarge);
}

}  // namespace
}  // namespace plexsphere::host::http
