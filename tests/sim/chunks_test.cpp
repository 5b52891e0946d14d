#include "sim/chunks.hpp"

#include <catch2/catch.hpp>
#include <stdexcept>

using namespace plexsphere;

TEST_CASE("a chunked body is the same text, in whatever pieces it comes", "[sim]") {
  constexpr std::string_view kWire = "5\r\nhello\r\n1;x=y\r\n \r\nA\r\nworld\r\nwid\r\n0\r\n\r\n";
  for (std::size_t size = 1; size <= kWire.size(); ++size) {
    sim::ChunkDecoder decoder;
    std::string text;
    for (std::size_t at = 0; at < kWire.size(); at += size) {
      text += decoder.feed(kWire.substr(at, size));
    }
    INFO("pieces of " << size);
    REQUIRE(text == "hello world\r\nwid");
    REQUIRE(decoder.ended());
  }
}

TEST_CASE("data is there before its chunk is whole", "[sim]") {
  sim::ChunkDecoder decoder;
  CHECK(decoder.feed("4\r\nab") == "ab");
  CHECK(decoder.feed("c") == "c");
  CHECK_FALSE(decoder.ended());
}

TEST_CASE("what is no chunk is refused", "[sim]") {
  for (const char* wire : {"\r\n", "x\r\n", "-1\r\n", "2\r\nabc\r\n", "1 \r\n"}) {
    INFO(wire);
    CHECK_THROWS_AS(sim::ChunkDecoder().feed(wire), std::runtime_error);
  }
  CHECK_THROWS_AS(sim::ChunkDecoder().feed(std::string(300, '1')), std::runtime_error);
}
