// A client's connection that is kept between requests, as a balancer keeps its own.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace plexsphere::soak {

// Owns one connection to 127.0.0.1. For one thread at a time.
class KeptConnection {
 public:
  // Throws std::system_error when it is refused.
  explicit KeptConnection(std::uint16_t port,
                          std::chrono::milliseconds timeout = std::chrono::seconds(10));
  KeptConnection(const KeptConnection&) = delete;
  KeptConnection& operator=(const KeptConnection&) = delete;
  ~KeptConnection();

  struct Answer {
    int status = 0;
    std::string body;
    bool keeps = false;  // another request may follow
  };
  // One GET. Throws std::runtime_error when no whole answer comes in time; the connection is then
  // of no further use.
  Answer get(std::string_view target);

 private:
  void read_more();

  int fd_;
  std::string buffer_;
};

}  // namespace plexsphere::soak
