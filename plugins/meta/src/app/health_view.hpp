// The sum of all probes, taken at most once a second however many ask: the route is public, and a
// probe costs a round trip to what it probes.
// Thread safety: any thread; blocks while probes run.
#pragma once

#include <chrono>
#include <functional>
#include <mutex>
#include <optional>

#include "domain/health_report.hpp"

namespace plexsphere::meta {

class HealthView {
 public:
  static constexpr std::chrono::seconds kLifetime{1};
  using Probe = std::function<HealthReport()>;
  using SteadyClock = std::function<std::chrono::nanoseconds()>;

  HealthView(Probe probe, SteadyClock clock) : probe_(std::move(probe)), clock_(std::move(clock)) {}

  HealthReport current();

 private:
  Probe probe_;
  SteadyClock clock_;
  std::mutex mutex_;  // held while probing: whoever asks meanwhile waits for that one answer
  std::optional<HealthReport> last_;
  std::chrono::nanoseconds expires_{0};
};

}  // namespace plexsphere::meta
