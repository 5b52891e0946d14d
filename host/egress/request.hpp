// One HTTP request that leaves the host, and what became of it.
//
// Thread safety: values.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "host/base/result.hpp"
#include "host/config/origin.hpp"
#include "host/config/secret_file.hpp"

namespace plexsphere::host::egress {

using Headers = std::vector<std::pair<std::string, std::string>>;

// Why a request was refused or failed. `reason` is a token of px.egress; `detail` holds no secret.
struct Fault {
  Code code = Code::kInternal;
  std::string reason;
  std::string detail;
};

// AWS Signature Version 4.
struct Signature {
  std::string region;
  std::string service;
  std::string access_key_id;
  config::Secret secret_key;
};

// Already checked (check.hpp), or made by the host itself.
struct Request {
  std::string method;
  config::Origin origin;
  std::string target;  // path and query, beginning with "/"
  Headers headers;     // without Host
  std::string body;
  std::chrono::steady_clock::time_point deadline;
  std::size_t max_response_bytes = 0;
  std::string ca_file;  // empty: the system's authorities
  std::optional<Signature> signature;
  std::string connect_to;  // "address:port" instead of what the name stands for; for tests

  std::string url() const { return origin.text() + target; }
};

struct Response {
  int status = 0;
  Headers headers;  // names in lower case
  std::string body;
};

// Exactly one of the two.
struct Outcome {
  std::optional<Response> response;
  Fault fault;
};

using Completion = std::function<void(Outcome)>;

}  // namespace plexsphere::host::egress
