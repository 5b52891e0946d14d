// A balancer before two replicas, as plain as one can be: it believes /readyz and nothing else.
//
// It asks /readyz of each replica every kProbeInterval, forwards requests in turn to those that
// said 200 last, over kept connections, and never tries a request twice: what a replica refuses or
// breaks, the client sees as a 502. Every other client's requests go to the replicas over TLS.
//
// Thread safety: all members from any thread. Ownership: owns its threads.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "soak/drain/kept_connection.hpp"

namespace plexsphere::soak {

inline constexpr std::size_t kReplicas = 2;
inline constexpr std::chrono::milliseconds kProbeInterval{50};

class Balancer {
 public:
  // Listens on a free port of 127.0.0.1. Throws std::system_error.
  Balancer();
  Balancer(const Balancer&) = delete;
  Balancer& operator=(const Balancer&) = delete;
  // Clients must have left.
  ~Balancer();

  std::uint16_t port() const { return port_; }
  // Where the replica is from now on; it gets requests once it is ready.
  void set_replica(std::size_t index, Ports ports);
  // The replica whose turn it is, for what does not go through the balancer; nowhere when none is
  // up.
  Ports pick();
  const test_support::TlsClientContext& context() const { return context_; }
  bool up(std::size_t index) const { return replicas_[index].up; }
  std::uint64_t served(std::size_t index) const { return replicas_[index].served; }
  // Requests that a replica refused or broke, or that found none ready; one line for each, the
  // first hundred.
  std::uint64_t failed() const { return failed_; }
  std::vector<std::string> failures() const;

 private:
  struct Replica {
    std::atomic<std::uint64_t> place{0};  // its ports, and above them how often it was set
    std::atomic<bool> up{false};
    std::atomic<std::uint64_t> served{0};
  };
  class Relay;

  void accept_clients(const std::stop_token& stop);
  void probe(const std::stop_token& stop, Replica& replica);
  void fail(std::string what);
  // The next replica that is up; kReplicas when none is.
  std::size_t next();

  const test_support::TlsClientContext context_;
  std::uint16_t port_ = 0;  // before the listener, which sets it
  int listener_ = -1;
  std::array<Replica, kReplicas> replicas_;
  std::atomic<std::size_t> turn_{0};
  std::atomic<std::uint64_t> failed_{0};
  mutable std::mutex mutex_;
  std::vector<std::string> failures_;
  std::vector<std::jthread> relays_;  // touched by the accepting thread only, until it has ended
  std::vector<std::jthread> probes_;
  std::jthread accepting_;
};

}  // namespace plexsphere::soak
