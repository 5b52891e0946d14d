#include "fuzz/body_checks.hpp"

#include <algorithm>
#include <cstdlib>
#include <string>

#include "fuzz/require.hpp"
#include "host/http/wire/chunked.hpp"
#include "host/http/wire/gzip.hpp"

namespace plexsphere::fuzz {
namespace {

namespace wire = host::http::wire;
using Progress = wire::ChunkedDecoder::Progress;

struct Decoded {
  Progress progress = Progress::kMore;
  std::size_t consumed = 0;
  std::string body;
  std::uint64_t decoded = 0;
  std::string_view reason;
};

Decoded decode(std::string_view bytes, std::size_t step, std::size_t limit) {
  Decoded out;
  wire::ChunkedDecoder decoder;
  while (out.progress == Progress::kMore && out.consumed < bytes.size()) {
    const auto piece = bytes.substr(out.consumed, step);
    std::size_t consumed = 0;
    out.progress = decoder.feed(piece, limit, out.body, consumed);
    FUZZ_REQUIRE(consumed <= piece.size());
    FUZZ_REQUIRE(out.progress != Progress::kMore || consumed == piece.size());
    FUZZ_REQUIRE(out.body.size() <= limit + 1);
    out.consumed += consumed;
  }
  out.decoded = decoder.decoded();
  out.reason = decoder.fault().reason;
  return out;
}

bool same(const Decoded& a, const Decoded& b) {
  return a.progress == b.progress && a.consumed == b.consumed && a.body == b.body &&
         a.decoded == b.decoded && a.reason == b.reason;
}

// Reads a body that is known to be whole and well formed, with nothing in mind but the RFC.
std::string decode_naively(std::string_view bytes) {
  std::string out;
  for (;;) {
    const auto end = bytes.find("\r\n");
    FUZZ_REQUIRE(end != std::string_view::npos);
    const auto size = std::strtoull(std::string(bytes.substr(0, end)).c_str(), nullptr, 16);
    bytes.remove_prefix(end + 2);
    if (size == 0) {
      return out;
    }
    FUZZ_REQUIRE(size + 2 <= bytes.size());
    out += bytes.substr(0, size);
    FUZZ_REQUIRE(bytes.substr(size, 2) == "\r\n");
    bytes.remove_prefix(size + 2);
  }
}

}  // namespace

std::optional<std::size_t> check_chunked(std::string_view bytes) {
  constexpr std::size_t kSmallLimit = 7;
  const auto whole = decode(bytes, bytes.size(), bytes.size());
  FUZZ_REQUIRE(same(whole, decode(bytes, 1, bytes.size())));
  FUZZ_REQUIRE(same(whole, decode(bytes, 2 + bytes.size() % 31, bytes.size())));
  FUZZ_REQUIRE(whole.decoded == whole.body.size());
  const auto capped = decode(bytes, 3, kSmallLimit);
  FUZZ_REQUIRE(capped.progress == whole.progress && capped.consumed == whole.consumed);
  FUZZ_REQUIRE(capped.decoded == whole.decoded && whole.body.starts_with(capped.body));
  FUZZ_REQUIRE((capped.body.size() > kSmallLimit) == (whole.body.size() > kSmallLimit));
  if (whole.progress != Progress::kDone) {
    return std::nullopt;
  }
  FUZZ_REQUIRE(bytes.substr(0, whole.consumed).ends_with("\r\n"));
  FUZZ_REQUIRE(decode_naively(bytes.substr(0, whole.consumed)) == whole.body);
  check_gzip(whole.body);
  return whole.consumed;
}

void check_gzip(std::string_view bytes) {
  constexpr std::size_t kLimit = 64 * 1024;
  std::string out;
  if (wire::gunzip(bytes, kLimit, out) != wire::Inflated::kGood) {
    FUZZ_REQUIRE(out.empty());
    return;
  }
  FUZZ_REQUIRE(out.size() <= kLimit);
  std::string again;
  FUZZ_REQUIRE(wire::gunzip(bytes, out.size(), again) == wire::Inflated::kGood);
  FUZZ_REQUIRE(again == out);
  if (!out.empty()) {
    FUZZ_REQUIRE(wire::gunzip(bytes, out.size() - 1, again) == wire::Inflated::kTooLarge);
  }
}

}  // namespace plexsphere::fuzz
