#include "host/http/wire/facts.hpp"

#include <limits>
#include <optional>

#include "host/http/message.hpp"
#include "host/http/wire/bytes.hpp"
#include "host/http/wire/faults.hpp"
#include "host/http/wire/lines.hpp"

namespace plexsphere::host::http::wire {
namespace {

constexpr std::uint64_t kLargestLength = std::numeric_limits<std::int64_t>::max();

// Nullopt when `digits`, which are decimal digits, are beyond kLargestLength.
std::optional<std::uint64_t> number_of(std::string_view digits) {
  std::uint64_t out = 0;
  for (const char c : digits) {
    const auto digit = static_cast<std::uint64_t>(c - '0');
    if (out > (kLargestLength - digit) / 10) {
      return std::nullopt;
    }
    out = out * 10 + digit;
  }
  return out;
}

}  // namespace

void Facts::Single::take(std::string_view text) {
  if (times++ == 0) {
    value = text;
  }
}

void Facts::take(std::string_view name, std::string_view value) {
  ++fields_;
  switch (name.size()) {
    case 4:
      if (token_is(name, "host")) {
        host_.take(value);
      }
      break;
    case 6:
      if (token_is(name, "expect")) {
        (token_is(value, "100-continue") ? expect_continue_ : expect_other_) = true;
      }
      break;
    case 10:
      if (token_is(name, "connection")) {
        take_connection(value);
      }
      break;
    case 14:
      if (token_is(name, "content-length")) {
        length_.take(value);
      }
      break;
    case 17:
      if (token_is(name, "transfer-encoding")) {
        coding_.take(value);
      }
      break;
    default:
      break;
  }
}

void Facts::take_connection(std::string_view value) {
  while (!value.empty()) {
    const auto comma = value.find(',');
    const auto option = trimmed(value.substr(0, comma));
    close_ = close_ || token_is(option, "close");
    keep_alive_ = keep_alive_ || token_is(option, "keep-alive");
    value.remove_prefix(comma == std::string_view::npos ? value.size() : comma + 1);
  }
}

const Fault* Facts::conclude(std::string_view authority, const HeadLimits& limits,
                             Head& head) const {
  if (fields_ > limits.headers) {
    return &kManyFields;
  }
  head.field_count = fields_;
  head.keep_alive = !close_ && (head.http11 || keep_alive_);
  if (const Fault* fault = judge_host(authority, head.http11)) {
    return fault;
  }
  if (const Fault* fault = judge_framing(head)) {
    return fault;
  }
  return judge_expectation(head);
}

// RFC 9112, 3.2. HTTP/1.0 knows no Host, but what sends one must send it right.
const Fault* Facts::judge_host(std::string_view authority, bool http11) const {
  if (host_.times == 0) {
    return http11 ? &kNoHost : nullptr;
  }
  if (host_.times > 1) {
    return &kTwoHosts;
  }
  if (!is_host(host_.value)) {
    return &kBadHost;
  }
  const bool same = authority.empty() || equal_ignoring_case(authority, host_.value);
  return same ? nullptr : &kHostMismatch;
}

// RFC 9112, 6.3, with every doubt a refusal.
const Fault* Facts::judge_framing(Head& head) const {
  if (length_.times > 1) {
    return &kTwoLengths;
  }
  if (coding_.times > 1) {
    return &kTwoCodings;
  }
  if (coding_.times > 0 && length_.times > 0) {
    return &kLengthAndChunked;
  }
  if (coding_.times > 0) {
    if (!head.http11) {
      return &kChunkedIn10;
    }
    head.framing = Framing::kChunked;
    return token_is(coding_.value, "chunked") ? nullptr : &kOtherCoding;
  }
  if (length_.times == 0) {
    return nullptr;
  }
  if (length_.value.empty() || run_of(length_.value, 0, kDigit) != length_.value.size()) {
    return &kBadLength;
  }
  const auto length = number_of(length_.value);
  head.framing = Framing::kLength;
  head.content_length = length.value_or(0);
  return length ? nullptr : &kLengthOverflow;
}

// RFC 9110, 10.1.1. Without a body there is nothing to go on with, and HTTP/1.0 knows no 100.
const Fault* Facts::judge_expectation(Head& head) const {
  if (!head.http11) {
    return nullptr;
  }
  const bool body = head.framing == Framing::kChunked || head.content_length > 0;
  head.expect_continue = expect_continue_ && body;
  return expect_other_ ? &kOtherExpectation : nullptr;
}

}  // namespace plexsphere::host::http::wire
