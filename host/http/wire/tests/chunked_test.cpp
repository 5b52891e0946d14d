#include "host/http/wire/chunked.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

namespace plexsphere::host::http::wire {
namespace {

using namespace std::string_literals;
using Progress = ChunkedDecoder::Progress;

constexpr std::size_t kNoLimit = 1 << 20;

// "done hello", "more hel" or "fault 400 bad_chunk_size", and what is left of the input.
struct Outcome {
  std::string told;
  std::string left;
  std::string body;
};

Outcome decode(const std::string& bytes, std::size_t step, std::size_t limit = kNoLimit) {
  ChunkedDecoder decoder;
  Outcome out;
  std::size_t at = 0;
  auto progress = Progress::kMore;
  while (progress == Progress::kMore && at < bytes.size()) {
    std::size_t consumed = 0;
    const auto piece = std::string_view(bytes).substr(at, step);
    progress = decoder.feed(piece, limit, out.body, consumed);
    REQUIRE(consumed <= piece.size());
    REQUIRE((consumed == piece.size() || progress != Progress::kMore));
    at += consumed;
  }
  out.left = bytes.substr(at);
  if (progress == Progress::kFault) {
    out.told = "fault " + std::to_string(decoder.fault().status) + " " +
               std::string(decoder.fault().reason);
    out.left.clear();
  } else {
    out.told = (progress == Progress::kDone ? "done " : "more ") + out.body;
  }
  return out;
}

struct Sample {
  std::string bytes;
  std::string told;
  std::string left;
};

std::vector<Sample> good() {
  return {
      {"0\r\n\r\n", "done ", ""},
      {"5\r\nhello\r\n0\r\n\r\nGET /next", "done hello", "GET /next"},
      {"1\r\na\r\n2\r\nbc\r\n000\r\n\r\n", "done abc", ""},
      {"A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n", "done 01234567890123456789", ""},
      {"0000000000000001\r\nx\r\n0\r\n\r\n", "done x", ""},
      {"1;a;b=c;d=\"e;\\\"\t\xff\"\r\nx\r\n0;last\r\n\r\n", "done x", ""},
      {"1\r\nx\r\n0\r\nX-Sum: 1 2\t3\r\nEmpty:\r\n\r\nrest", "done x", "rest"},
      {"4\r\n\r\n\0\n\r\n0\r\n\r\n"s, "done \r\n\0\n"s, ""},
  };
}

std::vector<Sample> bad() {
  return {
      {"\r\n", "fault 400 bad_chunk_size", ""},
      {"x", "fault 400 bad_chunk_size", ""},
      {" 5\r\nhello\r\n", "fault 400 bad_chunk_size", ""},
      {"5 \r\nhello\r\n", "fault 400 bad_chunk_size", ""},
      {"+5\r\n", "fault 400 bad_chunk_size", ""},
      {"-1\r\n", "fault 400 bad_chunk_size", ""},
      {"0x5\r\nhello", "fault 400 bad_chunk_size", ""},
      {"5,5\r\n", "fault 400 bad_chunk_size", ""},
      {"5\0\r\n"s, "fault 400 nul", ""},
      {"5\nhello", "fault 400 bare_lf", ""},
      {"5\rhello", "fault 400 bare_cr", ""},
      {"5\r\r\nhello", "fault 400 bare_cr", ""},
      {"10000000000000000\r\n", "fault 400 chunk_size_overflow", ""},
      {"00000000000000001\r\n", "fault 400 chunk_size_overflow", ""},
      {"8000000000000000\r\n", "fault 400 chunk_size_overflow", ""},
      {"FFFFFFFFFFFFFFFF\r\n", "fault 400 chunk_size_overflow", ""},
      {"5\r\na\r\n7fffffffffffffff\r\n", "fault 400 bad_chunk_end", ""},
      {"1\r\na\r\n7fffffffffffffff\r\n", "fault 400 chunk_size_overflow", ""},
      {"1\r\nab\r\n", "fault 400 bad_chunk_end", ""},
      {"1\r\na\n", "fault 400 bad_chunk_end", ""},
      {"1\r\na\rx", "fault 400 bad_chunk_end", ""},
      {"1\r\na0\r\n\r\n", "fault 400 bad_chunk_end", ""},
      {"1;\r\na", "fault 400 bad_chunk_extension", ""},
      {"1; a\r\n", "fault 400 bad_chunk_extension", ""},
      {"1;a =b\r\n", "fault 400 bad_chunk_extension", ""},
      {"1;a=\r\n", "fault 400 bad_chunk_extension", ""},
      {"1;a=\"b\"c\r\n", "fault 400 bad_chunk_extension", ""},
      {"1;a=\"b\r\n", "fault 400 bad_chunk_extension", ""},
      {"1;a=\"\\\r\n", "fault 400 bad_chunk_extension", ""},
      {"1;a\nx", "fault 400 bare_lf", ""},
      {"1;a=\"\n", "fault 400 bare_lf", ""},
      {"0\r\n\n", "fault 400 bare_lf", ""},
      {"0\r\n\rx", "fault 400 bare_cr", ""},
      {"0\r\nX: y\n\r\n", "fault 400 bare_lf", ""},
      {"0\r\nX: y\rZ", "fault 400 bare_cr", ""},
      {"0\r\nX: y\r\n z\r\n\r\n", "fault 400 obs_fold", ""},
      {"0\r\nX : y\r\n\r\n", "fault 400 space_before_colon", ""},
      {"0\r\n: y\r\n\r\n", "fault 400 bad_header_name", ""},
      {"0\r\nGET / HTTP/1.1\r\n", "fault 400 space_before_colon", ""},
      {"0\r\nX\r\n\r\n", "fault 400 no_colon", ""},
      {"0\r\nX: \x01\r\n\r\n", "fault 400 control_character", ""},
      {"0\r\nX: \0\r\n\r\n"s, "fault 400 nul", ""},
  };
}

TEST_CASE("a chunked body is decoded and what follows it is left alone", "[http][wire]") {
  for (const auto& sample : good()) {
    CAPTURE(sample.bytes);
    const auto outcome = decode(sample.bytes, sample.bytes.size());
    CHECK(outcome.told == sample.told);
    CHECK(outcome.left == sample.left);
  }
}

TEST_CASE("a chunked body that is not one is refused where it goes wrong", "[http][wire]") {
  for (const auto& sample : bad()) {
    CAPTURE(sample.bytes);
    CHECK(decode(sample.bytes, sample.bytes.size()).told == sample.told);
  }
}

TEST_CASE("however a chunked body is cut into pieces, it decodes the same", "[http][wire]") {
  for (const auto& samples : {good(), bad()}) {
    for (const auto& sample : samples) {
      for (std::size_t step = 1; step < sample.bytes.size(); ++step) {
        CAPTURE(sample.bytes, step);
        const auto outcome = decode(sample.bytes, step);
        CHECK(outcome.told == sample.told);
        CHECK(outcome.left == sample.left);
      }
    }
  }
}

TEST_CASE("a body that is cut short asks for more", "[http][wire]") {
  for (const auto& sample : good()) {
    const auto whole = sample.bytes.substr(0, sample.bytes.size() - sample.left.size());
    for (std::size_t cut = 0; cut < whole.size(); ++cut) {
      CAPTURE(whole, cut);
      CHECK(decode(whole.substr(0, cut), 3).told.starts_with("more"));
    }
  }
}

TEST_CASE("a body beyond its limit is followed to its end but not kept", "[http][wire]") {
  const auto bytes = "5\r\nhello\r\n5\r\nworld\r\n0\r\n\r\n"s;
  for (std::size_t step = 1; step <= bytes.size(); ++step) {
    CAPTURE(step);
    CHECK(decode(bytes, step, 10).told == "done helloworld");
    CHECK(decode(bytes, step, 9).body.size() == 10);
    CHECK(decode(bytes, step, 4).told == "done hello");
    CHECK(decode(bytes, step, 0).told == "done h");
  }
  ChunkedDecoder decoder;
  std::string body;
  std::size_t consumed = 0;
  CHECK(decoder.feed(bytes, 3, body, consumed) == Progress::kDone);
  CHECK(decoder.decoded() == 10);
  CHECK(body == "hell");
}

TEST_CASE("extensions and trailers have an end", "[http][wire]") {
  const auto extension = [](std::size_t size) {
    return "1;" + std::string(size, 'e') + "\r\nx\r\n0\r\n\r\n";
  };
  CHECK(decode(extension(4095), 100).told == "done x");  // the CR counts
  CHECK(decode(extension(4096), 100).told == "fault 400 long_chunk_extensions");
  std::string many;
  for (int i = 0; i < 3000; ++i) {
    many += "1;e\r\nx\r\n";
  }
  CHECK(decode(many, 1000).told == "fault 400 long_chunk_extensions");
  many.clear();
  for (int i = 0; i < 3000; ++i) {
    many += "1\r\nx\r\n";
  }
  CHECK(decode(many + "0\r\n\r\n", 1000).told == "done " + std::string(3000, 'x'));

  const auto trailers = [](std::size_t size) {
    return "0\r\nX:" + std::string(size, 't') + "\r\n\r\n";
  };
  CHECK(decode(trailers(8000), 100).told == "done ");
  CHECK(decode(trailers(8192), 100).told == "fault 431 long_trailers");
}

TEST_CASE("a decoder that refused or finished takes no more", "[http][wire]") {
  for (const auto& bytes : {"0\r\n\r\n"s, "x"s}) {
    ChunkedDecoder decoder;
    std::string body;
    std::size_t consumed = 0;
    const auto first = decoder.feed(bytes, kNoLimit, body, consumed);
    CHECK(decoder.feed("5\r\nhello\r\n", kNoLimit, body, consumed) == first);
    CHECK(consumed == 0);
    CHECK(body.empty());
  }
}

}  // namespace
}  // namespace plexsphere::host::http::wire
