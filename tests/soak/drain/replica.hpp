// One replica of the host under test, started and drained again and again.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "soak/drain/kept_connection.hpp"
#include "support/process.hpp"
#include "support/temp_dir.hpp"

namespace plexsphere::soak {

inline constexpr std::chrono::milliseconds kDrainDelay{500};
inline constexpr std::chrono::seconds kGrace{15};

// Owns the process. Not thread-safe.
class Replica {
 public:
  Replica();

  // Starts it and waits until it listens. Throws std::runtime_error with what it wrote.
  void start();
  Ports ports() const { return ports_; }

  struct Drain {
    double flip_ms = 0;                      // from the signal to the first 503 of /readyz
    double exit_ms = 0;                      // from the signal to the end of the process
    std::uint64_t admitted = 0;              // fresh connections between the two that were served
    std::vector<std::string> turned_away{};  // why others were not, though they came in time
  };
  // Sends SIGTERM and waits for the end, and goes on connecting for the drain delay as a balancer
  // does that has not noticed yet. Throws std::runtime_error when /readyz does not turn, or when
  // the process does not end with 0 within the grace.
  Drain drain();

 private:
  using Clock = std::chrono::steady_clock;
  void wait_for_flip(Clock::time_point signalled, Drain& out) const;
  void keep_coming(Clock::time_point until, Drain& out) const;
  void come(bool tls, Clock::time_point until, Drain& out) const;

  test_support::TempDir directory_;
  std::unique_ptr<test_support::Process> process_;
  const test_support::TlsClientContext context_;
  Ports ports_;
};

}  // namespace plexsphere::soak
