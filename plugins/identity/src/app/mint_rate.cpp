#include "app/mint_rate.hpp"

#include <algorithm>

namespace plexsphere::identity {

std::optional<std::chrono::nanoseconds> MintRate::refuse(const sdk::Uuid& principal,
                                                         std::chrono::nanoseconds now) {
  const std::lock_guard lock(mutex_);
  const auto at = full_at_.find(principal);
  const auto full_at = at == full_at_.end() ? now : std::max(at->second, now);
  if (full_at - now > tolerance_) {
    return full_at - now - tolerance_;
  }
  if (at != full_at_.end()) {
    at->second = full_at + interval_;
    return std::nullopt;
  }
  make_room(now);
  full_at_.emplace(principal, full_at + interval_);
  return std::nullopt;
}

void MintRate::make_room(std::chrono::nanoseconds now) {
  if (full_at_.size() < kCapacity) {
    return;
  }
  std::erase_if(full_at_, [now](const auto& bucket) { return bucket.second <= now; });
  if (full_at_.size() >= kCapacity) {
    full_at_.clear();
  }
}

}  // namespace plexsphere::identity
