#include "sim/sse.hpp"

#include <catch2/catch.hpp>
#include <stdexcept>

using namespace plexsphere;

namespace {

// "id/event/data" of each.
std::vector<std::string> spell(const std::vector<sim::SseEvent>& events) {
  std::vector<std::string> out;
  for (const auto& event : events) {
    out.push_back(event.id + "/" + event.event + "/" + event.data);
  }
  return out;
}

constexpr std::string_view kStream =
    ":keep-alive\n\nid: 7\nevent: policy_updated\ndata: {\"a\":1}\n\nretry: 100\n\n"
    "data:first\r\ndata:  second\r\n\r\nid: 8\n\ndata\n\nevent: lost\n\n";
const std::vector<std::string> kEvents{"7/policy_updated/{\"a\":1}", "7//first\n second", "8//"};

}  // namespace

TEST_CASE("a stream is the same events, in whatever pieces it comes", "[sim]") {
  for (std::size_t size = 1; size <= kStream.size(); ++size) {
    sim::SseParser parser;
    std::vector<std::string> got;
    for (std::size_t at = 0; at < kStream.size(); at += size) {
      const auto some = spell(parser.feed(kStream.substr(at, size)));
      got.insert(got.end(), some.begin(), some.end());
    }
    INFO("pieces of " << size);
    REQUIRE(got == kEvents);
    REQUIRE(parser.last_id() == "8");
  }
}

TEST_CASE("an event is not one before its empty line has come", "[sim]") {
  sim::SseParser parser;
  CHECK(parser.feed("id: 1\ndata: x\n").empty());
  CHECK(spell(parser.feed("\n")) == std::vector<std::string>{"1//x"});
}

TEST_CASE("a line longer than an agent reads ends the stream", "[sim]") {
  const std::string longest = "data:" + std::string(sim::kMostSseLine - 5, 'x');
  CHECK(sim::SseParser().feed(longest + "\n\n").size() == 1);
  CHECK_THROWS_AS(sim::SseParser().feed(longest + "x\n\n"), std::length_error);
  CHECK_THROWS_AS(sim::SseParser().feed(longest + "x"), std::length_error);
}
