// The limit of a fan-out on this machine: N accepted sockets and a loop that sends the same bytes
// to each, in one thread of a process of its own. No HTTP, no queues, no slow-client policy.
//
// Not thread-safe. Owns the process.
#pragma once

#include <array>
#include <cstdint>

#include "bench/support/child.hpp"

namespace plexsphere::bench {

class RawFanout {
 public:
  // Accepts `count` clients, answering each with an empty HTTP head; then `event_bytes` long
  // events.
  RawFanout(std::uint32_t count, std::size_t event_bytes);
  ~RawFanout();
  RawFanout(const RawFanout&) = delete;
  RawFanout& operator=(const RawFanout&) = delete;

  std::uint16_t port() const { return port_; }
  // Sends event `number` to all; returns at once.
  void publish(std::uint32_t number);

 private:
  int listener_;
  std::array<int, 2> pipe_{-1, -1};
  std::uint16_t port_;
  Child child_;
};

}  // namespace plexsphere::bench
