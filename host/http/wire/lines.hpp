// The two kinds of line in a request head, each read from its first byte to its last.
//
// A line is given without its line end. Views point into it; faults are static. What is wrong is
// always what stands first, so that a line that arrives in pieces is refused for the same reason as
// one that arrives whole.
//
// Thread safety: free functions without state.
#pragma once

#include <cstddef>
#include <string_view>

#include "host/http/wire/head.hpp"

namespace plexsphere::host::http::wire {

struct RequestLine {
  const Fault* fault = nullptr;  // null: fine so far, or all of it
  std::string_view method;
  std::string_view target;     // a path, or "*"
  std::string_view authority;  // of an absolute target; else empty
  bool http11 = true;
};

// RFC 9112, 3. Longer targets than `target_limit` bytes are a fault.
RequestLine read_request_line(std::string_view line, std::size_t target_limit);
// The beginning of a request line, of which the first `known` bytes were found good before.
const Fault* check_request_line_start(std::string_view start, std::size_t known,
                                      std::size_t target_limit);

struct FieldLine {
  const Fault* fault = nullptr;
  std::string_view name;
  std::string_view value;
};

// RFC 9112, 5.
FieldLine read_field_line(std::string_view line);
// Looks for bytes that may not stand in any field line; null when there are none.
const Fault* check_field_bytes(std::string_view bytes);

// A host with an optional port (RFC 9110, 7.2), or nothing at all.
bool is_host(std::string_view value);

}  // namespace plexsphere::host::http::wire
