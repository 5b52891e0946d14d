// The last known readiness, so that /readyz is answered at once whatever the probes wait for.
//
// A probe may wait for seconds (a database that hangs). If a request waited with it, a busy or
// stuck process could not tell a balancer the truth in time, least of all that it is leaving.
//
// Thread safety: report from any thread; begin and the destructor from the thread that owns it.
// Ownership: owns its thread. The registry must outlive it.
#pragma once

#include <chrono>
#include <mutex>
#include <thread>

#include "host/health/registry.hpp"

namespace plexsphere::host::apps {

// Between two runs of the probes. A report is older by no more than this and the slowest probe.
inline constexpr std::chrono::milliseconds kProbeInterval{1000};

class Readiness {
 public:
  explicit Readiness(health::Registry& registry) : registry_(registry) {}
  Readiness(const Readiness&) = delete;
  Readiness& operator=(const Readiness&) = delete;

  // Runs the probes once, and from then on in a thread. [init]
  void begin();
  // Draining as soon as the registry is told; else what the probes said last.
  health::Report report() const;

 private:
  void keep_asking(const std::stop_token& stop);
  void ask();

  health::Registry& registry_;
  mutable std::mutex mutex_;
  health::Report last_;
  std::jthread asking_;
};

}  // namespace plexsphere::host::apps
