#include "host/http/wire/lines.hpp"

#include <cstring>

#include "host/http/wire/bytes.hpp"
#include "host/http/wire/faults.hpp"

namespace plexsphere::host::http::wire {
namespace {

constexpr std::size_t kMaxMethod = 32;
constexpr std::size_t kMaxName = 256;
constexpr std::size_t kMaxValue = 8192;
constexpr std::size_t kMaxPortDigits = 5;
constexpr std::size_t kVersionSize = 8;  // "HTTP/1.1"

// What is wrong with a byte that a request line may not have; `otherwise` if it may, elsewhere.
const Fault* fault_of(char c, const Fault& otherwise) {
  const auto byte = static_cast<unsigned char>(c);
  if (byte == 0) {
    return &kNul;
  }
  if (byte == '\r') {
    return &kBareCr;
  }
  if (byte < 0x20 || byte == 0x7f) {
    return &kControl;
  }
  return byte >= 0x80 ? &kNonAscii : &otherwise;
}

// Where the parts of a request line begin and end, as far as the line is there.
struct Parts {
  const Fault* fault = nullptr;
  bool whole = false;  // all three are there, and the last is no longer than a version
  std::size_t method_end = 0;
  std::size_t target_end = 0;
};

// `known` bytes were found good before: no need to look at those of the target again.
Parts split(std::string_view line, std::size_t known, std::size_t target_limit) {
  Parts out;
  out.method_end = run_of(line, 0, kToken);
  if (out.method_end > kMaxMethod) {
    out.fault = &kLongMethod;
    return out;
  }
  if (out.method_end == line.size()) {
    return out;
  }
  if (line[out.method_end] != ' ' || out.method_end == 0) {
    out.fault = fault_of(line[out.method_end], kBadMethod);
    return out;
  }
  const std::size_t target = out.method_end + 1;
  const auto space =
      known > target ? line.substr(0, known).find(' ', target) : std::string_view::npos;
  out.target_end = space != std::string_view::npos
                       ? space
                       : run_of(line, known > target ? known : target, kTarget);
  if (out.target_end - target > target_limit) {
    out.fault = &kLongTarget;
    return out;
  }
  if (out.target_end == line.size()) {
    return out;
  }
  if (line[out.target_end] != ' ') {
    out.fault = fault_of(line[out.target_end], kBadTargetByte);
    return out;
  }
  if (out.target_end == target) {
    out.fault = &kBadRequestLine;
    return out;
  }
  const auto version = line.substr(out.target_end + 1, kVersionSize + 1);
  for (const char c : version) {
    if (static_cast<unsigned char>(c) <= ' ' || static_cast<unsigned char>(c) >= 0x7f) {
      out.fault = fault_of(c, kBadVersion);
      return out;
    }
  }
  if (version.size() > kVersionSize) {
    out.fault = &kBadVersion;
    return out;
  }
  out.whole = true;
  return out;
}

const Fault* read_version(std::string_view text, bool& http11) {
  if (text.size() != kVersionSize || std::memcmp(text.data(), "HTTP/", 5) != 0 ||
      !is(text[5], kDigit) || text[6] != '.' || !is(text[7], kDigit)) {
    return &kBadVersion;
  }
  http11 = text[7] == '1';
  return text[5] == '1' && text[7] <= '1' ? nullptr : &kOtherVersion;
}

// The size of "http://" or "https://" at the front, 0 when there is none.
std::size_t scheme_size(std::string_view target) {
  constexpr std::string_view kSchemes[] = {"http://", "https://"};
  for (const auto scheme : kSchemes) {
    if (target.size() >= scheme.size() && token_is(target.substr(0, scheme.size()), scheme)) {
      return scheme.size();
    }
  }
  return 0;
}

// RFC 9112, 3.2. An absolute target is cut into authority and path.
bool read_target_form(RequestLine& line) {
  if (line.target.front() == '/') {
    return true;
  }
  if (line.target == "*") {
    return line.method == "OPTIONS";
  }
  const std::size_t scheme = scheme_size(line.target);
  const std::size_t path = line.target.find('/', scheme);
  if (scheme == 0 || path == std::string_view::npos) {
    return false;
  }
  line.authority = line.target.substr(scheme, path - scheme);
  line.target.remove_prefix(path);
  return !line.authority.empty() && is_host(line.authority);
}

bool is_port(std::string_view text) {
  return text.size() <= kMaxPortDigits && run_of(text, 0, kDigit) == text.size();
}

// "[…]" of an IPv6 address: the characters it may have, not whether it is one.
std::size_t ip_literal_size(std::string_view value) {
  std::size_t end = 1;
  while (end < value.size() && (is(value[end], kHex) || value[end] == ':' || value[end] == '.')) {
    ++end;
  }
  return end > 1 && end < value.size() && value[end] == ']' ? end + 1 : 0;
}

FieldLine refused(std::string_view line, const Fault& fault) {
  const Fault* byte = check_field_bytes(line);
  return {byte != nullptr ? byte : &fault, {}, {}};
}

}  // namespace

RequestLine read_request_line(std::string_view line, std::size_t target_limit) {
  RequestLine out;
  const Parts parts = split(line, 0, target_limit);
  if (parts.fault != nullptr || !parts.whole) {
    out.fault = parts.fault != nullptr ? parts.fault : &kBadRequestLine;
    return out;
  }
  out.method = line.substr(0, parts.method_end);
  out.target = line.substr(parts.method_end + 1, parts.target_end - parts.method_end - 1);
  out.fault = read_version(line.substr(parts.target_end + 1), out.http11);
  if (out.fault == nullptr && !read_target_form(out)) {
    out.fault = &kBadTarget;
  }
  return out;
}

const Fault* check_request_line_start(std::string_view start, std::size_t known,
                                      std::size_t target_limit) {
  return split(start, known, target_limit).fault;
}

FieldLine read_field_line(std::string_view line) {
  const std::size_t name_end = run_of(line, 0, kToken);
  if (name_end == line.size()) {
    return refused(line, kNoColon);
  }
  if (line[name_end] != ':' || name_end == 0) {
    const bool blank = line[name_end] == ' ' || line[name_end] == '\t';
    return refused(line, !blank ? kBadName : name_end == 0 ? kObsFold : kSpaceBeforeColon);
  }
  const auto raw = line.substr(name_end + 1);
  if (!all_field_value(raw)) {
    return refused(line, kControl);
  }
  const auto value = trimmed(raw);
  if (name_end > kMaxName || value.size() > kMaxValue) {
    return {&kLongField, {}, {}};
  }
  return {nullptr, line.substr(0, name_end), value};
}

const Fault* check_field_bytes(std::string_view bytes) {
  if (all_field_value(bytes)) {
    return nullptr;
  }
  return fault_of(bytes[run_of(bytes, 0, kFieldValue)], kControl);
}

bool is_host(std::string_view value) {
  const bool literal = !value.empty() && value.front() == '[';
  const std::size_t end = literal ? ip_literal_size(value) : run_of(value, 0, kHost);
  if (end == value.size()) {
    return !literal || end > 0;
  }
  return end > 0 && value[end] == ':' && is_port(value.substr(end + 1));
}

}  // namespace plexsphere::host::http::wire
