// Requests and responses as the host sees them, whatever engine carried them.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace plexsphere::host::http {

using Headers = std::vector<std::pair<std::string, std::string>>;

struct RequestHead {
  std::string method;  // as sent
  std::string target;  // origin form, undecoded: "/v1/nodes?limit=5"
  Headers headers;     // names in lower case
  std::string peer;    // address of the other end of the connection, without port; may be empty

  // The first header of that name, or null. `name` in lower case.
  const std::string* header(std::string_view name) const;
  std::string_view path() const;   // of the target, undecoded
  std::string_view query() const;  // of the target, undecoded, without '?'
};

struct Request {
  RequestHead head;
  std::string body;
  bool body_overflow = false;  // larger than the limit the sink gave; `body` is then empty
  // When it had been read whole, before it waited for anything.
  std::chrono::steady_clock::time_point arrived = std::chrono::steady_clock::now();
};

struct Response {
  int status = 500;
  std::string content_type;  // empty when there is no body
  std::string body;
  Headers headers;

  void set_header(std::string name, std::string value);
  bool has_header(std::string_view name) const;  // any case
};

// "Not Found" for 404; "Unknown" for a number without a registered phrase (RFC 9110, 15; 425, 428,
// 429 and 431 are of RFC 8470 and RFC 6585).
const char* reason_phrase(int status) noexcept;

// Percent-decodes (RFC 3986, 2.1); false for a bad escape or a NUL. `plus_is_space` for queries.
bool percent_decode(std::string_view in, bool plus_is_space, std::string& out);

bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept;

}  // namespace plexsphere::host::http
