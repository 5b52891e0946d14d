// One replica of the host under test, started and drained again and again.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>

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
  std::uint16_t port() const { return port_; }

  struct Drain {
    double flip_ms = 0;  // from the signal to the first 503 of /readyz
    double exit_ms = 0;  // from the signal to the end of the process
  };
  // Sends SIGTERM and waits for the end. Throws std::runtime_error when /readyz does not turn, or
  // when the process does not end with 0 within the grace.
  Drain drain();

 private:
  double wait_for_flip(std::chrono::steady_clock::time_point since) const;

  test_support::TempDir directory_;
  std::unique_ptr<test_support::Process> process_;
  std::uint16_t port_ = 0;
};

}  // namespace plexsphere::soak
