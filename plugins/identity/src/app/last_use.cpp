#include "app/last_use.hpp"

namespace plexsphere::identity {

void LastUse::note(const sdk::Uuid& token_id, sdk::Instant now,
                   const std::optional<sdk::Instant>& recorded) {
  if (recorded && now - *recorded < kGranularity) {
    return;
  }
  const std::lock_guard lock(mutex_);
  if (pending_.size() < kCapacity || pending_.contains(token_id)) {
    pending_[token_id] = now;
  }
}

void LastUse::start() {
  const std::lock_guard lock(mutex_);
  running_ = true;
  thread_ = std::thread([this] { run(); });
}

void LastUse::stop() {
  {
    const std::lock_guard lock(mutex_);
    running_ = false;
  }
  wake_.notify_all();
  if (thread_.joinable()) {
    thread_.join();
    flush();
  }
}

void LastUse::run() {
  std::unique_lock lock(mutex_);
  while (running_) {
    wake_.wait_for(lock, kWriteEvery, [this] { return !running_; });
    lock.unlock();
    flush();
    lock.lock();
  }
}

void LastUse::flush() {
  std::vector<TokenUse> uses;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [id, at] : pending_) {
      uses.push_back({id, at});
    }
    pending_.clear();
  }
  if (uses.empty()) {
    return;
  }
  // A use that is not written is noted again by the token's next request.
  if (const auto written = write_(uses); !written.ok()) {
    log_.debug("token_uses_unwritten", {{"reason", written.error().reason}});
  }
}

}  // namespace plexsphere::identity
