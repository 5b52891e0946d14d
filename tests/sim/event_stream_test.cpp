// The client against the stream of the real host, as its test plugin `good` opens it.
#include "sim/event_stream.hpp"

#include <catch2/catch.hpp>
#include <chrono>
#include <optional>
#include <stdexcept>

#include "bench/support/bare_host.hpp"
#include "support/http_client.hpp"

using namespace plexsphere;
using namespace std::chrono_literals;

namespace {

const std::string kPath = "/v1/good/stream?channel=";

std::string base_of(const bench::BareHost& host) {
  return "http://127.0.0.1:" + std::to_string(host.endpoint().port);
}

void publish(const bench::BareHost& host, const std::string& data, int count = 1) {
  const auto answer = test_support::HttpClient().request(
      "POST", base_of(host) + "/v1/good/publish?channel=a&count=" + std::to_string(count),
      {{"Content-Type", "text/plain"}}, data);
  REQUIRE(answer.status == 200);
}

}  // namespace

TEST_CASE("events come in order with their ids, and none is waited for in vain", "[sim]") {
  const bench::BareHost host({});
  sim::EventStream stream(base_of(host), kPath + "a", "", "");
  REQUIRE_FALSE(stream.refusal());
  CHECK(stream.events(0ms).empty());
  CHECK(stream.last_id().empty());

  publish(host, R"({"n":1})");
  const auto first = stream.events(10s);
  REQUIRE(first.size() == 1);
  CHECK(first[0].id == "1");
  CHECK(first[0].event == "good");
  CHECK(first[0].data == R"({"n":1})");

  publish(host, std::string(10'000, 'x'), 20);
  std::vector<sim::SseEvent> rest;
  while (rest.size() < 20) {
    const auto some = stream.events(10s);
    REQUIRE_FALSE(some.empty());
    rest.insert(rest.end(), some.begin(), some.end());
  }
  for (std::size_t i = 0; i < rest.size(); ++i) {
    CHECK(rest[i].id == std::to_string(i + 2));
    CHECK(rest[i].data.size() == 10'000);
  }
  CHECK(stream.last_id() == "21");
  CHECK(stream.events(0ms).empty());
}

TEST_CASE("a refusal tells status and code, and there are no events", "[sim]") {
  const bench::BareHost host({});
  sim::EventStream stream(base_of(host), "/v1/good/refused", "", "");
  REQUIRE(stream.refusal());
  CHECK(stream.refusal()->status == 409);
  CHECK(stream.refusal()->code == "thing_taken");
  CHECK_FALSE(stream.refusal()->not_provisioned());
  CHECK(stream.events(0ms).empty());
}

TEST_CASE("a line that no agent would read is the end of the stream", "[sim]") {
  const bench::BareHost host({});
  sim::EventStream stream(base_of(host), kPath + "a", "", "");
  publish(host, std::string(sim::kMostSseLine, 'x'));
  CHECK_THROWS_WITH(stream.events(10s), Catch::Contains("longer than 64 KiB"));
}

TEST_CASE("a host that goes ends the stream, and one that is gone opens none", "[sim]") {
  std::string base;
  std::optional<sim::EventStream> stream;
  {
    const bench::BareHost host({});
    base = base_of(host);
    stream.emplace(base, kPath + "a", "", "");
  }
  CHECK_THROWS_AS(stream->events(10s), std::runtime_error);
  CHECK_THROWS_AS(sim::EventStream(base, kPath + "a", "", ""), std::runtime_error);
}
