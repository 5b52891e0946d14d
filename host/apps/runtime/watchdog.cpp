#include "host/apps/runtime/watchdog.hpp"

#include <cstdlib>

#include "host/apps/runtime/app.hpp"

namespace plexsphere::host::apps {

Watchdog::Watchdog(std::chrono::steady_clock::time_point deadline, telemetry::Logger& log)
    : thread_([this, deadline, &log] {
        std::unique_lock lock(mutex_);
        if (!wake_.wait_until(lock, deadline, [this] { return done_; })) {
          log.error("drain.abandoned", {{"detail", "a plugin or service did not stop in time"}});
          log.flush(std::chrono::milliseconds(500));
          std::_Exit(kExitForced);
        }
      }) {}

Watchdog::~Watchdog() {
  {
    const std::lock_guard lock(mutex_);
    done_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

}  // namespace plexsphere::host::apps
