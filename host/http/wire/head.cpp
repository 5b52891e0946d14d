#include "host/http/wire/head.hpp"

#include <algorithm>
#include <cstring>

#include "host/http/wire/bytes.hpp"
#include "host/http/wire/facts.hpp"
#include "host/http/wire/faults.hpp"
#include "host/http/wire/lines.hpp"

namespace plexsphere::host::http::wire {
namespace {

constexpr std::string_view kLineEnd = "\r\n";
constexpr char kTlsHandshake = 0x16;  // RFC 8446, 5.1: the first byte of every ClientHello

// Where the line begins that `position` is in.
std::size_t line_start(std::string_view bytes, std::size_t position) {
  const void* feed = position > 0 ? ::memrchr(bytes.data(), '\n', position) : nullptr;
  return feed == nullptr
             ? 0
             : static_cast<std::size_t>(static_cast<const char*>(feed) - bytes.data()) + 1;
}

// Reads lines from `start`, the beginning of one, until the head ends or the bytes do. Only a
// reader that began at 0 knows the whole head; one that goes on in the middle finds the faults of
// single lines and the end.
class Reader {
 public:
  Reader(std::string_view bytes, const HeadLimits& limits, std::size_t start)
      : bytes_(bytes.substr(0, limits.bytes)), limits_(limits), line_(start) {
    if (start == 0 && bytes_.starts_with(kLineEnd)) {
      line_ = kLineEnd.size();
    }
    head_.begin = start == 0 ? line_ : 0;
    in_request_line_ = start == 0 || (start == kLineEnd.size() && bytes_.starts_with(kLineEnd));
  }

  // Null when the head is not there yet or is_whole(). The first `known` bytes were found good as
  // far as they go.
  const Fault* read(std::size_t known);
  bool is_whole() const { return head_.size != 0; }
  const Fault* conclude() { return facts_.conclude(authority_, limits_, head_); }
  const Head& head() const { return head_; }

 private:
  const Fault* take_line(std::string_view line);
  const Fault* take_request_line(std::string_view line);
  const Fault* check_start_of_line(std::size_t known) const;

  const std::string_view bytes_;
  const HeadLimits& limits_;
  std::size_t line_;  // where the line that is read begins
  bool in_request_line_ = false;
  std::size_t fields_ = 0;  // where the header lines begin
  std::string_view authority_;
  Facts facts_;
  Head head_;
};

const Fault* Reader::read(std::size_t known) {
  std::size_t search = std::max(known, line_);
  while (search < bytes_.size()) {
    const void* feed = std::memchr(bytes_.data() + search, '\n', bytes_.size() - search);
    if (feed == nullptr) {
      break;
    }
    const auto end = static_cast<std::size_t>(static_cast<const char*>(feed) - bytes_.data());
    if (const Fault* fault = take_line(bytes_.substr(line_, end - line_))) {
      return fault;
    }
    search = line_ = end + 1;
    if (is_whole()) {
      return nullptr;
    }
  }
  return check_start_of_line(known);
}

// `line` is without its line feed, but with the carriage return that should precede it.
const Fault* Reader::take_line(std::string_view line) {
  if (line.empty() || line.back() != '\r') {
    const Fault* fault = in_request_line_ ? check_request_line_start(line, 0, limits_.target_bytes)
                                          : check_field_bytes(line);
    return fault != nullptr ? fault : &kBareLf;
  }
  line.remove_suffix(1);
  if (in_request_line_) {
    return take_request_line(line);
  }
  if (line.empty()) {
    head_.size = line_ + kLineEnd.size();
    head_.fields = bytes_.substr(fields_, line_ - fields_);
    return nullptr;
  }
  const FieldLine field = read_field_line(line);
  if (field.fault == nullptr) {
    facts_.take(field.name, field.value);
  }
  return field.fault;
}

const Fault* Reader::take_request_line(std::string_view line) {
  if (line.empty()) {
    return &kEmptyLines;
  }
  const RequestLine read = read_request_line(line, limits_.target_bytes);
  head_.method = read.method;
  head_.target = read.target;
  head_.http11 = read.http11;
  authority_ = read.authority;
  fields_ = line_ + line.size() + kLineEnd.size();
  in_request_line_ = false;
  return read.fault;
}

// Of a line whose end is not there. A carriage return at the very end may yet be followed right,
// which is why the last of the known bytes is looked at again.
const Fault* Reader::check_start_of_line(std::size_t known) const {
  auto start = bytes_.substr(line_);
  if (!start.empty() && start.back() == '\r') {
    start.remove_suffix(1);
  }
  const std::size_t checked = known > line_ ? std::min(known - line_ - 1, start.size()) : 0;
  return in_request_line_ ? check_request_line_start(start, checked, limits_.target_bytes)
                          : check_field_bytes(start.substr(checked));
}

HeadResult refused(std::string_view bytes, const Fault& fault) {
  return bytes.front() == kTlsHandshake ? kTlsOnPlain : fault;
}

}  // namespace

HeadResult check_head(std::string_view bytes, std::size_t& scanned, const HeadLimits& limits) {
  const std::size_t known = std::min({scanned, bytes.size(), limits.bytes});
  const std::size_t start = line_start(bytes, known);
  Reader reader(bytes, limits, start);
  if (const Fault* fault = reader.read(known)) {
    return refused(bytes, *fault);
  }
  if (!reader.is_whole()) {
    scanned = std::min(bytes.size(), limits.bytes);
    return bytes.size() < limits.bytes ? HeadResult(NeedMore{}) : HeadResult(kLongHead);
  }
  if (start != 0) {  // all of it is there now and fits: read it once more, from its beginning
    scanned = 0;
    return check_head(bytes, scanned, limits);
  }
  if (const Fault* fault = reader.conclude()) {
    return *fault;
  }
  scanned = reader.head().size;
  return reader.head();
}

std::optional<Field> next_field(std::string_view& fields) {
  const auto end = fields.find('\r');  // no value has one
  const auto colon = fields.find(':');
  if (end == std::string_view::npos || colon == std::string_view::npos) {
    return std::nullopt;
  }
  const Field out{fields.substr(0, colon), trimmed(fields.substr(colon + 1, end - colon - 1))};
  fields.remove_prefix(end + kLineEnd.size());
  return out;
}

}  // namespace plexsphere::host::http::wire
