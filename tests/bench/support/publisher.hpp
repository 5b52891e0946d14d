// Publishes events to the stream of the test plugin `good`, over one connection that is kept.
//
// Not thread-safe.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "bench/support/client_socket.hpp"

namespace plexsphere::bench {

// What a subscriber of `channel` sends.
std::string subscribe_request(const std::string& channel);

class Publisher {
 public:
  Publisher(const Endpoint& host, std::string channel);

  // Posts event `number`, `bytes` long, and waits for the answer. When the request was sent. Throws
  // std::runtime_error when the answer is not 2xx or does not come within ten seconds.
  std::chrono::steady_clock::time_point publish(std::uint32_t number, std::size_t bytes);

 private:
  std::string channel_;
  ClientSocket socket_;
};

}  // namespace plexsphere::bench
