// Thousands of clients that mostly wait: each sends one request, takes the answer's head and then
// listens. Idle keep-alive connections and subscribers of a stream are both that. One thread with
// epoll, in a process of its own.
//
// Events are recognised by a marker at their end, whatever frames them, so that one receiver serves
// an SSE stream and a bare socket alike.
//
// Not thread-safe.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "bench/support/child.hpp"
#include "bench/support/client_socket.hpp"

namespace plexsphere::bench {

// Payload of `size` bytes (at least kMarkerBytes) that ends with the marker of event `number`.
constexpr std::size_t kMarkerBytes = 14;
std::string event_payload(std::uint32_t number, std::size_t size);

class Crowd {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::uint32_t kMaxEvents = 1U << 14;

  // Starts to open `count` connections; event numbers begin at `first_event`.
  Crowd(const Endpoint& server, const std::string& request, std::uint32_t count,
        std::uint32_t first_event = 1);

  // Waits until every answer's head has come. False at the limit.
  bool wait_ready(std::chrono::milliseconds limit);
  // Waits until each of the crowd has had event `number`; when the last one had it, or nothing at
  // the limit.
  std::optional<Clock::time_point> wait_event(std::uint32_t number,
                                              std::chrono::milliseconds limit);

  std::uint32_t count() const { return count_; }
  std::uint32_t ready() const { return state_->ready; }
  // Connections that the server closed.
  std::uint32_t closed() const { return state_->closed; }
  // Answers that were not 2xx, and events that were not the next of their connection.
  std::uint64_t faults() const { return state_->faults; }
  // Bytes received after the heads.
  std::uint64_t bytes() const { return state_->bytes; }

 private:
  friend class CrowdLoop;
  struct State {
    std::atomic<std::uint32_t> ready{0};
    std::atomic<std::uint32_t> closed{0};
    std::atomic<std::uint64_t> faults{0};
    std::atomic<std::uint64_t> bytes{0};
    std::atomic<std::int64_t> complete_ns[kMaxEvents]{};  // steady clock; 0: not yet
  };

  std::uint32_t count_;
  Shared<State> state_;
  Child child_;
};

}  // namespace plexsphere::bench
