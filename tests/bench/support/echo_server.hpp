// The limit of a request-and-answer server on this machine: reads whatever arrives and answers with
// fixed bytes, in one epoll thread of a process of its own. No parsing, no routing, no logging.
#pragma once

#include <cstdint>
#include <string>

#include "bench/support/child.hpp"

namespace plexsphere::bench {

// Owns the child process; killed and reaped on destruction.
class EchoServer {
 public:
  explicit EchoServer(const std::string& answer);
  EchoServer(const EchoServer&) = delete;
  EchoServer& operator=(const EchoServer&) = delete;

  std::uint16_t port() const { return port_; }

 private:
  int listener_;
  std::uint16_t port_;
  Child child_;
};

}  // namespace plexsphere::bench
