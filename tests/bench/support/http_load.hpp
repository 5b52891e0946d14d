// A closed-loop HTTP client: each of N keep-alive connections sends its next request when the
// answer to the last has arrived. One thread, epoll.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace plexsphere::bench {

struct LoadResult {
  std::uint64_t answers = 0;
  std::uint64_t wrong_status = 0;
  std::uint64_t broken_connections = 0;
  std::size_t answer_bytes = 0;  // size of one whole answer
  double per_second = 0;
};

// Sends `request` (a whole HTTP/1.1 request) to 127.0.0.1:`port` over `connections` connections for
// `duration`. Answers must carry Content-Length. Throws std::system_error if it cannot connect.
LoadResult http_load(std::uint16_t port, const std::string& request, int connections,
                     std::chrono::milliseconds duration);

}  // namespace plexsphere::bench
