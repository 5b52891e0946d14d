// How often one principal may ask this replica for API tokens: a token bucket each, kept as the
// generic cell rate algorithm keeps it (ITU-T I.371): one instant, from which on it is full.
//
// Thread safety: any thread. Bounded: kCapacity principals. Buckets that have filled up say nothing
// and are dropped first; when all are in use, all are forgotten, and everybody has a whole burst
// again.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <unordered_map>

#include "plexsphere/sdk/uuid.hpp"

namespace plexsphere::identity {

class MintRate {
 public:
  static constexpr std::size_t kCapacity = 16'384;

  // `burst`: how many may come at once, at least 1.
  MintRate(std::int64_t per_minute, std::int64_t burst)
      : interval_(std::chrono::nanoseconds(std::chrono::minutes(1)) / per_minute),
        tolerance_(interval_ * (burst - 1)) {}

  // Takes one; or tells how long until there is one. `now` is the steady clock.
  std::optional<std::chrono::nanoseconds> refuse(const sdk::Uuid& principal,
                                                 std::chrono::nanoseconds now);

 private:
  void make_room(std::chrono::nanoseconds now);  // under mutex_

  const std::chrono::nanoseconds interval_;
  const std::chrono::nanoseconds tolerance_;  // that an instant may lie ahead
  std::mutex mutex_;
  std::unordered_map<sdk::Uuid, std::chrono::nanoseconds> full_at_;  // under mutex_
};

}  // namespace plexsphere::identity
