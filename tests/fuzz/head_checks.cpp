#include "fuzz/head_checks.hpp"

#include <Poco/Net/HTTPRequest.h>

#include <algorithm>
#include <cctype>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "fuzz/require.hpp"

namespace plexsphere::fuzz {
namespace {

bool is_inside(std::string_view view, std::string_view bytes) {
  return view.data() >= bytes.data() && view.data() + view.size() <= bytes.data() + bytes.size();
}

bool same(const wire::HeadResult& a, const wire::HeadResult& b) {
  if (a.index() != b.index()) {
    return false;
  }
  if (const auto* fault = std::get_if<wire::Fault>(&a)) {
    const auto& other = std::get<wire::Fault>(b);
    return fault->status == other.status && fault->code == other.code &&
           fault->reason == other.reason;
  }
  if (const auto* head = std::get_if<wire::Head>(&a)) {
    const auto& other = std::get<wire::Head>(b);
    return head->begin == other.begin && head->size == other.size &&
           head->method.data() == other.method.data() && head->method == other.method &&
           head->target.data() == other.target.data() && head->target == other.target &&
           head->fields.data() == other.fields.data() && head->fields == other.fields &&
           head->field_count == other.field_count && head->http11 == other.http11 &&
           head->keep_alive == other.keep_alive && head->framing == other.framing &&
           head->content_length == other.content_length &&
           head->expect_continue == other.expect_continue;
  }
  return true;
}

// However the bytes are cut into calls, the answer is the one that all of them get at once.
void check_pieces(std::string_view bytes, std::size_t step, const wire::HeadLimits& limits,
                  const wire::HeadResult& whole) {
  std::size_t scanned = 0;
  for (std::size_t size = std::min(step, bytes.size());;
       size = std::min(size + step, bytes.size())) {
    const auto result = wire::check_head(bytes.substr(0, size), scanned, limits);
    FUZZ_REQUIRE(scanned <= size);
    if (size == bytes.size() || !std::holds_alternative<wire::NeedMore>(result)) {
      FUZZ_REQUIRE(same(result, whole));
      return;
    }
  }
}

// No byte of an accepted head may be one that a laxer parser takes for something else.
void check_bytes(std::string_view head) {
  for (std::size_t i = 0; i < head.size(); ++i) {
    const auto byte = static_cast<unsigned char>(head[i]);
    if (byte == '\n') {
      FUZZ_REQUIRE(i > 0 && head[i - 1] == '\r');
    } else if (byte == '\r') {
      FUZZ_REQUIRE(i + 1 < head.size() && head[i + 1] == '\n');
    } else {
      FUZZ_REQUIRE((byte >= 0x20 && byte != 0x7f) || byte == '\t');
    }
  }
  FUZZ_REQUIRE(head.find("\r\n\r\n") == head.size() - 4);
  FUZZ_REQUIRE(head.find("\r\n ") == std::string_view::npos);
  FUZZ_REQUIRE(head.find("\r\n\t") == std::string_view::npos);
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

// Lines of the head that begin with `name`, in whatever way a parser might forgive.
std::size_t lines_like(std::string_view head, std::string_view name) {
  const auto text = lower(head);
  std::size_t count = 0;
  for (auto at = text.find('\n'); at != std::string::npos; at = text.find('\n', at + 1)) {
    const auto start = text.find_first_not_of(" \t", at + 1);
    if (start != std::string::npos && text.compare(start, name.size(), name) == 0) {
      const auto end = text.find_first_not_of(" \t", start + name.size());
      count += end != std::string::npos && text[end] == ':' ? 1 : 0;
    }
  }
  return count;
}

void check_framing(std::string_view bytes, const wire::Head& head) {
  const auto lengths = lines_like(bytes, "content-length");
  const auto codings = lines_like(bytes, "transfer-encoding");
  FUZZ_REQUIRE(lengths + codings <= 1);
  FUZZ_REQUIRE((head.framing == wire::Framing::kLength) == (lengths == 1));
  FUZZ_REQUIRE((head.framing == wire::Framing::kChunked) == (codings == 1));
  FUZZ_REQUIRE(head.framing != wire::Framing::kChunked || head.http11);
  const auto hosts = lines_like(bytes, "host");
  FUZZ_REQUIRE(head.http11 ? hosts == 1 : hosts <= 1);
}

using Fields = std::vector<std::pair<std::string, std::string>>;

// By name: Poco puts fields of the same name beside each other.
Fields sorted(Fields fields) {
  std::stable_sort(fields.begin(), fields.end(),
                   [](const auto& a, const auto& b) { return lower(a.first) < lower(b.first); });
  return fields;
}

Fields fields_of(const wire::Head& head) {
  Fields out;
  auto rest = head.fields;
  while (const auto field = wire::next_field(rest)) {
    out.emplace_back(field->name, field->value);
  }
  FUZZ_REQUIRE(rest.empty() && out.size() == head.field_count);
  return sorted(std::move(out));
}

void check_against_poco(std::string_view bytes, const wire::Head& head) {
  std::istringstream in((std::string(bytes)));
  Poco::Net::HTTPRequest request;
  request.read(in);  // what it throws is a find as well
  FUZZ_REQUIRE(request.getMethod() == head.method);
  FUZZ_REQUIRE(std::string_view(request.getURI()).ends_with(head.target));
  FUZZ_REQUIRE(request.getVersion() == (head.http11 ? "HTTP/1.1" : "HTTP/1.0"));
  FUZZ_REQUIRE(request.size() == head.field_count);
  FUZZ_REQUIRE(request.getChunkedTransferEncoding() == (head.framing == wire::Framing::kChunked));
  if (head.framing == wire::Framing::kLength) {
    FUZZ_REQUIRE(static_cast<std::uint64_t>(request.getContentLength64()) == head.content_length);
  }
  const auto ours = fields_of(head);
  const auto theirs = sorted({request.begin(), request.end()});
  for (std::size_t i = 0; i < ours.size(); ++i) {
    FUZZ_REQUIRE(ours[i].first == theirs[i].first);
    // Poco decodes encoded words (RFC 2047); we hand on what was sent.
    FUZZ_REQUIRE(ours[i].second == theirs[i].second ||
                 ours[i].second.find("=?") != std::string::npos);
  }
}

void check_accepted(std::string_view bytes, const wire::Head& head,
                    const wire::HeadLimits& limits) {
  FUZZ_REQUIRE(head.begin == 0 || head.begin == 2);
  FUZZ_REQUIRE(head.size > head.begin && head.size <= bytes.size() && head.size <= limits.bytes);
  const auto own = bytes.substr(head.begin, head.size - head.begin);
  FUZZ_REQUIRE(is_inside(head.method, own) && is_inside(head.target, own));
  FUZZ_REQUIRE(is_inside(head.fields, own));
  FUZZ_REQUIRE(own.starts_with(head.method) && !head.method.empty());
  FUZZ_REQUIRE(head.target == "*" || head.target.front() == '/');
  FUZZ_REQUIRE(head.target.size() <= limits.target_bytes && head.field_count <= limits.headers);
  check_bytes(own);
  check_framing(own, head);
  check_against_poco(own, head);
}

}  // namespace

std::optional<wire::Head> check_head(std::string_view bytes) {
  // Small enough that mutations reach every limit.
  static constexpr wire::HeadLimits kSmall{512, 6, 96};
  for (const auto& limits : {kSmall, wire::HeadLimits{}}) {
    std::size_t scanned = 0;
    const auto whole = wire::check_head(bytes, scanned, limits);
    check_pieces(bytes, 1, limits, whole);
    check_pieces(bytes, 2 + bytes.size() % 61, limits, whole);
    if (const auto* head = std::get_if<wire::Head>(&whole)) {
      check_accepted(bytes, *head, limits);
      return *head;
    }
  }
  return std::nullopt;
}

}  // namespace plexsphere::fuzz
