// Clients of the balancer: each sends its next request when the answer to the last has come.
#pragma once

#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

namespace plexsphere::soak {

// Owns its threads; they end with it. Counters may be read from any thread.
class Load {
 public:
  Load(std::uint16_t port, int clients);

  std::uint64_t served() const { return served_; }
  // Answers other than 200, and connections that broke.
  std::uint64_t failed() const { return failed_; }

 private:
  void run(const std::stop_token& stop, std::uint16_t port);

  std::atomic<std::uint64_t> served_{0};
  std::atomic<std::uint64_t> failed_{0};
  std::vector<std::jthread> clients_;
};

}  // namespace plexsphere::soak
