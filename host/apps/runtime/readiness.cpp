#include "host/apps/runtime/readiness.hpp"

#include <condition_variable>

namespace plexsphere::host::apps {

void Readiness::begin() {
  ask();
  asking_ = std::jthread([this](const std::stop_token& stop) { keep_asking(stop); });
}

health::Report Readiness::report() const {
  if (registry_.draining()) {
    health::Report leaving;
    leaving.draining = true;
    return leaving;
  }
  const std::lock_guard lock(mutex_);
  return last_;
}

void Readiness::ask() {
  auto report = registry_.check();
  const std::lock_guard lock(mutex_);
  last_ = std::move(report);
}

void Readiness::keep_asking(const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any wake;
  std::unique_lock lock(mutex);
  while (!stop.stop_requested()) {
    wake.wait_for(lock, stop, kProbeInterval, [] { return false; });
    if (!stop.stop_requested() && !registry_.draining()) {
      ask();
    }
  }
}

}  // namespace plexsphere::host::apps
