// A closed-loop HTTP client: each of N keep-alive connections sends its next request when the
// answer to the last has arrived. One thread with epoll, in a process of its own.
//
// Not thread-safe.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "bench/support/child.hpp"
#include "bench/support/client_socket.hpp"

namespace plexsphere::bench {

struct LoadResult {
  std::uint64_t answers = 0;
  std::uint64_t wrong_status = 0;        // answers that were not 2xx
  std::uint64_t broken_connections = 0;  // closed by the server; opened again
  std::uint64_t served = 0;              // connections that got an answer at all
  std::uint64_t unanswered = 0;          // still without an answer 300 ms after the end
  std::size_t answer_bytes = 0;          // size of one whole answer
  double per_second = 0;
  double p50_us = 0;
  double p99_us = 0;
};

class HttpLoad {
 public:
  // Sends `request` (a whole HTTP/1.1 request) to 127.0.0.1 over `connections` connections for
  // `duration`, after a warm-up that is not counted. Answers must carry Content-Length.
  HttpLoad(const Endpoint& server, const std::string& request, int connections,
           std::chrono::milliseconds duration);

  // Waits for the end. Throws std::runtime_error if it cannot connect.
  LoadResult result();

 private:
  std::chrono::milliseconds duration_;
  Shared<LoadResult> result_;
  Child child_;
};

// The same, waited for.
LoadResult http_load(std::uint16_t port, const std::string& request, int connections,
                     std::chrono::milliseconds duration);

}  // namespace plexsphere::bench
