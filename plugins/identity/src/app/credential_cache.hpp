// What the database said about a credential within the last second, so that a burst of requests
// costs one read. A revocation is therefore seen everywhere within the time to live.
// Thread safety: any thread. Bounded: at `capacity` entries the cache starts afresh.
#pragma once

#include <chrono>
#include <mutex>
#include <optional>
#include <unordered_map>

#include "plexsphere/sdk/uuid.hpp"

namespace plexsphere::identity {

template <typename Fact>
class CredentialCache {
 public:
  CredentialCache(std::chrono::nanoseconds time_to_live, std::size_t capacity)
      : time_to_live_(time_to_live), capacity_(capacity) {}

  // `now` is the steady clock.
  std::optional<Fact> find(const sdk::Uuid& id, std::chrono::nanoseconds now) const {
    const std::lock_guard lock(mutex_);
    const auto at = facts_.find(id);
    if (at == facts_.end() || now - at->second.read_at >= time_to_live_) {
      return std::nullopt;
    }
    return at->second.fact;
  }

  // `read_at`: before the fact was read, so that it is never younger than it seems.
  void put(const sdk::Uuid& id, Fact fact, std::chrono::nanoseconds read_at) {
    const std::lock_guard lock(mutex_);
    if (facts_.size() >= capacity_ && !facts_.contains(id)) {
      facts_.clear();
    }
    facts_.insert_or_assign(id, Entry{std::move(fact), read_at});
  }

  void erase(const sdk::Uuid& id) {
    const std::lock_guard lock(mutex_);
    facts_.erase(id);
  }

 private:
  struct Entry {
    Fact fact;
    std::chrono::nanoseconds read_at;
  };

  const std::chrono::nanoseconds time_to_live_;
  const std::size_t capacity_;
  mutable std::mutex mutex_;
  std::unordered_map<sdk::Uuid, Entry> facts_;  // under mutex_
};

}  // namespace plexsphere::identity
