// Checks the bytes of a request head against RFC 9112 before any other class sees them.
//
// Stricter than the RFC allows a server to be, because what two parsers read differently is how
// requests are smuggled: a bare CR or LF, obs-fold, white space before a colon, NUL and other
// control characters, a second or malformed Content-Length, any Transfer-Encoding but one
// "chunked", both lengths at once, and a missing or second Host are refused.
//
// Thread safety: free functions without state.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

namespace plexsphere::host::http::wire {

struct HeadLimits {
  std::size_t bytes = 16 * 1024;        // request line and headers together; beyond it 431
  std::size_t headers = 100;            // beyond it 431
  std::size_t target_bytes = 8 * 1024;  // beyond it 414
};

// Why bytes are refused. All views are static.
struct Fault {
  int status = 400;
  std::string_view code;    // of the problem document: "malformed_request", "uri_too_long", …
  std::string_view detail;  // one sentence that names what was wrong
  std::string_view reason;  // label of the metric: "bare_lf", "two_lengths", …
};

enum class Framing : unsigned char { kNone, kLength, kChunked };

// A head that is well formed. Views point into the bytes that were checked.
struct Head {
  std::size_t begin = 0;  // of the request line, after an empty line that may precede it
  std::size_t size = 0;   // of everything up to and including the empty line that ends the head
  std::string_view method;
  std::string_view target;       // a path with its query, also of an absolute target; or "*"
  bool http11 = true;            // false: HTTP/1.0
  bool keep_alive = true;        // what the client asks for
  bool expect_continue = false;  // the client waits for a 100 before it sends the body
  Framing framing = Framing::kNone;
  std::uint64_t content_length = 0;  // with kLength; at most 2^63 - 1
  std::string_view fields;           // the header lines, each with its CRLF: see next_field
  std::size_t field_count = 0;
};

struct Field {
  std::string_view name;   // as sent
  std::string_view value;  // without the white space around it
};

// Takes the first header off `fields`, which begins as Head::fields; nullopt when none is left.
// The one way to read the headers of a request: Poco's reader decodes encoded words (RFC 2047) into
// bytes that were never checked, line ends among them.
std::optional<Field> next_field(std::string_view& fields);

struct NeedMore {};

// Looks for the end of the head in all `bytes` received so far. `scanned` is where the last call
// stopped, 0 at first; a call costs only what is new. Faults that can be told early (a bare LF, a
// NUL, too long) are told early, and are the same however the bytes were cut into calls.
using HeadResult = std::variant<NeedMore, Head, Fault>;
HeadResult check_head(std::string_view bytes, std::size_t& scanned, const HeadLimits& limits);

}  // namespace plexsphere::host::http::wire
