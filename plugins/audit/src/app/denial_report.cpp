#include "app/denial_report.hpp"

#include <memory>
#include <optional>
#include <utility>

namespace plexsphere::audit {

void DenialReport::start() {
  thread_ = std::thread([this] { run(); });
}

void DenialReport::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) {
    thread_.join();
  }
}

void DenialReport::run() {
  std::unique_lock lock(mutex_);
  while (!changed_.wait_for(lock, kEvery, [this] { return stopping_; })) {
    lock.unlock();
    write(false);
    lock.lock();
  }
}

void DenialReport::write(bool all) {
  const sdk::Instant now = clock_.now();
  for (Entry& count : cap_.collect(all ? std::nullopt : std::optional(now))) {
    count.occurred_at = now;
    auto counted = std::make_unique<Counted>(Counted{this, count});
    committer_.submit(std::move(count), &DenialReport::written, counted.release());
  }
}

void DenialReport::written(void* ctx, px_status status, px_str reason) noexcept {
  const std::unique_ptr<Counted> counted(static_cast<Counted*>(ctx));
  if (status == PX_OK) {
    return;
  }
  DenialReport& report = *counted->report;
  report.log_.warn("audit.denial_count_unwritten", {{"reason", std::string(sdk::view(reason))}});
  try {
    report.cap_.put_back(counted->entry);
  } catch (...) {
    // Out of memory: the log line above is what is left of the count.
  }
}

}  // namespace plexsphere::audit
