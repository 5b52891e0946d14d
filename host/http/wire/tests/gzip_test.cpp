#include "host/http/wire/gzip.hpp"

#include <zlib.h>

#include <catch2/catch.hpp>
#include <random>
#include <string>
#include <vector>

namespace plexsphere::host::http::wire {
namespace {

using namespace std::string_literals;

// One gzip member; `name` goes into its header when it is not null.
std::string packed(const std::string& in, const char* name = nullptr, int window = 16 + MAX_WBITS) {
  z_stream stream{};
  REQUIRE(deflateInit2(&stream, 9, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  gz_header header{};
  std::string copy = name != nullptr ? name : "";
  header.name = reinterpret_cast<Bytef*>(copy.data());
  header.hcrc = 1;
  if (name != nullptr) {
    REQUIRE(deflateSetHeader(&stream, &header) == Z_OK);
  }
  std::string out(deflateBound(&stream, in.size()) + copy.size() + 32, '\0');
  std::string input = in;
  stream.next_in = reinterpret_cast<Bytef*>(input.data());
  stream.avail_in = static_cast<uInt>(input.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

Inflated inflated(const std::string& in, std::size_t limit, std::string& out) {
  return gunzip(in, limit, out);
}

std::string noise(std::size_t size) {
  std::mt19937 random(7);
  std::string out(size, '\0');
  for (auto& c : out) {
    c = static_cast<char>(random() & 0xffU);
  }
  return out;
}

TEST_CASE("a gzip body comes out as it went in", "[http][wire]") {
  for (const auto& text : {""s, "x"s, std::string(16 * 1024, 'a'), std::string(16 * 1024 + 1, 'a'),
                           noise(100'000), "nul \0 inside"s}) {
    std::string out = "what was there before";
    CHECK(inflated(packed(text), text.size(), out) == Inflated::kGood);
    CHECK(out == text);
  }
}

TEST_CASE("members one after the other are one body", "[http][wire]") {
  std::string out;
  const auto three = packed("one ", "file.txt") + packed("") + packed("two");
  CHECK(inflated(three, 7, out) == Inflated::kGood);
  CHECK(out == "one two");
  CHECK(inflated(three, 6, out) == Inflated::kTooLarge);
}

TEST_CASE("what is not gzip to the last byte is malformed", "[http][wire]") {
  const auto good = packed("hello hello hello");
  std::string out;
  for (std::size_t cut = 0; cut < good.size(); ++cut) {
    CAPTURE(cut);
    CHECK(inflated(good.substr(0, cut), 100, out) == Inflated::kMalformed);
    CHECK(inflated(good + good.substr(0, cut), 100, out) ==
          (cut == 0 ? Inflated::kGood : Inflated::kMalformed));
  }
  for (const auto& more : {"\0"s, "x"s, "\x1f"s, "\x1f\x8b\x08"s, "hello"s}) {
    CHECK(inflated(good + more, 100, out) == Inflated::kMalformed);
  }
  CHECK(inflated("hello", 100, out) == Inflated::kMalformed);
  CHECK(inflated(packed("zlib", nullptr, MAX_WBITS), 100, out) == Inflated::kMalformed);
  CHECK(inflated(packed("raw deflate", nullptr, -MAX_WBITS), 100, out) == Inflated::kMalformed);
}

TEST_CASE("a bit flipped anywhere never passes for another body", "[http][wire]") {
  const auto text = "the check sum and the length stand at the end"s;
  const auto good = packed(text);
  for (std::size_t i = 0; i < good.size() * 8; ++i) {
    auto bytes = good;
    bytes[i / 8] = static_cast<char>(bytes[i / 8] ^ (1 << (i % 8)));
    std::string out;
    if (inflated(bytes, 1000, out) == Inflated::kGood) {
      CHECK(out == text);  // time stamp, system and the like mean nothing to us
    }
  }
}

TEST_CASE("a bomb goes off within its limit", "[http][wire]") {
  const auto bomb = packed(std::string(64 * 1024 * 1024, '\0'));
  REQUIRE(bomb.size() < 100'000);
  std::string out;
  CHECK(inflated(bomb, 8192, out) == Inflated::kTooLarge);
  CHECK(out.capacity() < 100);
  CHECK(inflated(bomb, 0, out) == Inflated::kTooLarge);
  std::string many;  // none of the members is large
  for (int i = 0; i < 100; ++i) {
    many += packed(std::string(1000, 'a'));
  }
  CHECK(inflated(many, 99'999, out) == Inflated::kTooLarge);
  CHECK(inflated(many, 100'000, out) == Inflated::kGood);
}

}  // namespace
}  // namespace plexsphere::host::http::wire
