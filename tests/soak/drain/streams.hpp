// Subscribers that stay until they are told when to come back, and then subscribe to the replica
// that is up.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "soak/drain/balancer.hpp"

namespace plexsphere::soak {

// Owns its threads; they end with it. Counters may be read from any thread. The balancer must
// outlive it.
class Streams {
 public:
  // Every other one is over TLS.
  Streams(Balancer& balancer, int subscribers);

  std::uint64_t open() const { return open_; }
  // Ended as they should: with a hint, and then as a whole answer.
  std::uint64_t dismissed() const { return dismissed_; }
  // What became of the others, one line for each.
  std::vector<std::string> failures() const;

 private:
  void run(const std::stop_token& stop, bool tls);
  void stay(const std::stop_token& stop, Ports ports, bool tls);

  Balancer& balancer_;
  std::atomic<std::uint64_t> open_{0};
  std::atomic<std::uint64_t> dismissed_{0};
  mutable std::mutex mutex_;
  std::vector<std::string> failures_;
  std::vector<std::jthread> subscribers_;
};

}  // namespace plexsphere::soak
