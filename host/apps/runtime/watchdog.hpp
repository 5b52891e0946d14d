// Ends the process when a shutdown does not end by itself.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "host/telemetry/log.hpp"

namespace plexsphere::host::apps {

// A plugin that hangs in drain or stop cannot be interrupted. If the watchdog is still there at
// `deadline`, it logs and leaves with exit code 2, running no destructors.
class Watchdog {
 public:
  Watchdog(std::chrono::steady_clock::time_point deadline, telemetry::Logger& log);
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;
  ~Watchdog();

 private:
  std::mutex mutex_;
  std::condition_variable wake_;
  bool done_ = false;
  std::thread thread_;
};

}  // namespace plexsphere::host::apps
