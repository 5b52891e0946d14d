#include "host/persistence/pool.hpp"

#include <algorithm>
#include <utility>

#include "host/persistence/store_error.hpp"

namespace plexsphere::host::persistence {
namespace {
constexpr std::chrono::milliseconds kRefusalHold{200};
}

Pool::Lease::~Lease() {
  if (session_) {
    pool_->give_back(std::move(session_));
  }
}

Pool::Pool(PoolOptions options) : options_(std::move(options)) {
  idle_.reserve(options_.capacity + options_.reserved);  // so that give_back cannot fail
}

Pool::Lease Pool::acquire(std::string_view role, bool may_use_reserve,
                          std::chrono::steady_clock::time_point deadline) {
  const std::size_t limit = options_.capacity + (may_use_reserve ? options_.reserved : 0);
  std::unique_lock lock(mutex_);
  ++waiting_;
  const bool ready =
      changed_.wait_until(lock, deadline, [&] { return open_ - idle_.size() < limit; });
  --waiting_;
  if (!ready) {
    throw StoreError(PX_RESOURCE_EXHAUSTED, "connection_pool",
                     "no database connection became free in time; all " + std::to_string(limit) +
                         " are in use (database.pool_size)");
  }
  if (auto session = take_idle(role)) {
    return {this, std::move(session), false};
  }
  if (std::chrono::steady_clock::now() < refused_until_) {
    throw StoreError(PX_UNAVAILABLE, "database_unavailable",
                     "the database refused a connection a moment ago", "08001");
  }
  ++open_;
  lock.unlock();
  return {this, connect(), true};
}

std::unique_ptr<Session> Pool::take_idle(std::string_view role) {
  if (idle_.empty()) {
    return nullptr;
  }
  auto found = std::find_if(idle_.rbegin(), idle_.rend(),
                            [&](const auto& session) { return session->last_role() == role; });
  const auto at = found == idle_.rend() ? std::prev(idle_.end()) : std::prev(found.base());
  std::unique_ptr<Session> session = std::move(*at);
  idle_.erase(at);
  return session;
}

std::unique_ptr<Session> Pool::connect() {
  try {
    return std::make_unique<Session>(options_.session);
  } catch (...) {
    {
      const std::lock_guard lock(mutex_);
      --open_;
      refused_until_ = std::chrono::steady_clock::now() + kRefusalHold;
    }
    changed_.notify_one();
    throw;
  }
}

void Pool::give_back(std::unique_ptr<Session> session) noexcept {
  session->rollback();
  {
    const std::lock_guard lock(mutex_);
    if (session->broken()) {
      --open_;
    } else {
      idle_.push_back(std::move(session));
    }
  }
  changed_.notify_all();  // a waiter with reserve and one without watch different limits
}

void Pool::discard_idle() {
  std::vector<std::unique_ptr<Session>> dead;
  {
    const std::lock_guard lock(mutex_);
    dead.swap(idle_);
    open_ -= dead.size();
  }
  changed_.notify_all();
}

PoolStats Pool::stats() const {
  const std::lock_guard lock(mutex_);
  return {open_, idle_.size(), waiting_};
}

}  // namespace plexsphere::host::persistence
