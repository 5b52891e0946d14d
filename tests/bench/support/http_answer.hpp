// Finding the end of an HTTP/1.1 answer that carries Content-Length.
#pragma once

#include <strings.h>

#include <cstdlib>
#include <string_view>

namespace plexsphere::bench {

// Size of the answer at the front of `buffer`, or 0 while it is not complete.
inline std::size_t answer_size(std::string_view buffer) {
  const std::size_t head = buffer.find("\r\n\r\n");
  if (head == std::string_view::npos) {
    return 0;
  }
  std::size_t length = 0;
  for (std::size_t at = buffer.find("\r\n"); at < head; at = buffer.find("\r\n", at + 2)) {
    constexpr std::string_view kName = "content-length:";
    const std::string_view line = buffer.substr(at + 2, head - at);
    if (line.size() > kName.size() && ::strncasecmp(line.data(), kName.data(), kName.size()) == 0) {
      length = std::strtoul(line.data() + kName.size(), nullptr, 10);
      break;
    }
  }
  const std::size_t whole = head + 4 + length;
  return buffer.size() >= whole ? whole : 0;
}

}  // namespace plexsphere::bench
