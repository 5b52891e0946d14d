// What a connection may send, from its first byte to the route that answers: the byte checker, the
// chunk decoder, gzip and the route table, each held against something simpler that must agree.
//
// One input is everything one connection sends, so requests may follow one another. Built with
// libFuzzer for a soak, and with replay_main.cpp for ctest.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "fuzz/body_checks.hpp"
#include "fuzz/head_checks.hpp"
#include "fuzz/require.hpp"
#include "fuzz/route_checks.hpp"

namespace plexsphere::fuzz {
namespace {

constexpr std::size_t kMostRequests = 8;  // of one input; beyond it, nothing new is learnt

// The size of the body that follows `head`, nullopt when it is refused or not all there.
std::optional<std::size_t> check_body(const wire::Head& head, std::string_view rest) {
  if (head.framing == wire::Framing::kChunked) {
    return check_chunked(rest);
  }
  if (head.framing == wire::Framing::kLength) {
    if (head.content_length > rest.size()) {
      return std::nullopt;
    }
    check_gzip(rest.substr(0, static_cast<std::size_t>(head.content_length)));
    return static_cast<std::size_t>(head.content_length);
  }
  return 0;
}

void check_connection(std::string_view bytes) {
  for (std::size_t i = 0; i < kMostRequests; ++i) {
    const auto head = check_head(bytes);
    if (!head) {
      return;
    }
    check_routes(head->method, head->target);
    const auto rest = bytes.substr(head->size);
    const auto body = check_body(*head, rest);
    if (!body) {
      return;
    }
    bytes = rest.substr(*body);
  }
}

}  // namespace
}  // namespace plexsphere::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  plexsphere::fuzz::current_input() = bytes;
  plexsphere::fuzz::check_connection(bytes);
  return 0;
}
