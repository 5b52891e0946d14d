#include "http/parse.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <string>

#include "plexsphere/sdk/encoding.hpp"
#include "plexsphere/sdk/json.hpp"

namespace plexsphere::audit {
namespace {

using sdk::Code;
using sdk::Error;
using sdk::Result;

constexpr std::size_t kLongestFilter = 512;  // bytes, as the longest id of an entry
constexpr std::array<std::string_view, 5> kReasons{
    "granted", "out_of_scope", "insufficient_relation", "caveat_violation", "unknown"};

Error invalid_filter(std::string_view name, std::string_view takes) {
  return {Code::invalid_argument, "invalid_filter",
          "\"" + std::string(name) + "\" must be " + std::string(takes) + "."};
}

// Reads one filter after another and keeps the first fault.
class FilterReader {
 public:
  explicit FilterReader(const sdk::Request& request) : request_(request) {}

  std::optional<std::string> text(std::string_view name) {
    const auto value = request_.query(name);
    if (!value) {
      return std::nullopt;
    }
    if (value->size() > kLongestFilter || value->find('\0') != std::string_view::npos) {
      fail(invalid_filter(name, "text of at most 512 bytes without NUL"));
      return std::nullopt;
    }
    return std::string(*value);
  }

  std::optional<std::string> pseudonym(std::string_view name) {
    const auto value = request_.query(name);
    if (!value) {
      return std::nullopt;
    }
    auto raw = value->size() == 64 ? sdk::hex_decode(*value) : std::nullopt;
    if (!raw) {
      fail(invalid_filter(name, "a pseudonym of 64 lower-case hex digits"));
    }
    return raw;
  }

  std::optional<std::string> reason(std::string_view name) {
    auto value = text(name);
    if (value && std::find(kReasons.begin(), kReasons.end(), *value) == kReasons.end()) {
      fail(invalid_filter(name,
                          "granted, out_of_scope, insufficient_relation, caveat_violation or "
                          "unknown"));
    }
    return value;
  }

  std::optional<sdk::Instant> instant(std::string_view name) {
    const auto value = request_.query(name);
    const auto parsed = value ? sdk::parse_rfc3339(*value) : std::nullopt;
    if (value && !parsed) {
      fail(invalid_filter(name, "an RFC 3339 time"));
    }
    return parsed;
  }

  void fail(Error error) {
    if (!fault_) {
      fault_ = std::move(error);
    }
  }
  const std::optional<Error>& fault() const { return fault_; }

 private:
  const sdk::Request& request_;
  std::optional<Error> fault_;
};

}  // namespace

Result<EntryFilter> parse_filter(const sdk::Request& request) {
  FilterReader read(request);
  EntryFilter filter;
  filter.subject_pseudonym = read.pseudonym("subject");
  filter.relation = read.text("relation");
  filter.object_type = read.text("object_type");
  filter.object_id = read.text("object_id");
  filter.reason = read.reason("reason");
  filter.from = read.instant("from");
  filter.to = read.instant("to");
  filter.correlation_id = read.text("correlation_id");
  if (filter.from && filter.to && *filter.to < *filter.from) {
    read.fail(invalid_filter("to", "no earlier than \"from\""));
  }
  if (read.fault()) {
    return *read.fault();
  }
  return filter;
}

std::optional<std::int64_t> parse_seq(std::string_view text) {
  constexpr std::size_t kMostDigits = 18;  // every number of that many digits fits
  if (text.empty() || text.size() > kMostDigits || text.front() == '0') {
    return std::nullopt;
  }
  std::int64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') {
      return std::nullopt;
    }
    value = value * 10 + (c - '0');
  }
  return value;
}

Result<Segment> parse_segment(std::string_view body) {
  if (body.empty()) {
    return Segment{};
  }
  const auto json = sdk::parse_json(body);
  if (!json.ok()) {
    return json.error();
  }
  constexpr auto kMost = std::numeric_limits<std::int64_t>::max();
  sdk::BodyReader reader(json.value());
  Segment segment;
  segment.from = reader.optional_integer("from_seq", 1, kMost);
  segment.to = reader.optional_integer("to_seq", 1, kMost);
  if (segment.to && *segment.to < segment.from.value_or(1)) {
    reader.fail("\"to_seq\" must not be less than \"from_seq\"");
  }
  if (const auto& fault = reader.fault_ignoring_unknown()) {
    return Error{Code::invalid_argument, "invalid_body", "The body is refused: " + *fault + "."};
  }
  return segment;
}

Result<sdk::Uuid> parse_erasure(std::string_view body) {
  const auto json = sdk::parse_json(body);
  if (!json.ok()) {
    return json.error();
  }
  sdk::BodyReader reader(json.value());
  const sdk::Uuid identity = reader.uuid("identity_id");
  if (const auto& fault = reader.fault_ignoring_unknown()) {
    return Error{Code::invalid_argument, "invalid_body", "The body is refused: " + *fault + "."};
  }
  return identity;
}

}  // namespace plexsphere::audit
