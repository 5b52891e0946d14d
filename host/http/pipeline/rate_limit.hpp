// How often one address may call: a token bucket each, in memory of a fixed size.
//
// Buckets are kept as the generic cell rate algorithm keeps them (ITU-T I.371): one instant each,
// from which on the bucket would be full. An IPv6 address counts by its /64, which is what one
// customer commonly has.
//
// The table holds 65,536 addresses (1 MiB), in sets of 8. A bucket that has filled up again says
// nothing and is replaced first. When all 8 of a set are in use, the one that is nearest to full is
// forgotten: its address gets a whole burst again. A flood from more addresses than the table holds
// is therefore let through in part, and is left to the limits on connections and waiting requests.
//
// Thread safety: all members from any thread. Ownership: none beyond its own memory.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>

namespace plexsphere::host::http {

class RateLimiter {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::size_t kEntries = 65'536;

  // `rate` in calls a second, 0 for no limit; `burst` is how many may come at once, at least 1.
  RateLimiter(std::uint32_t rate, std::uint32_t burst);

  // Takes a token; or tells how long until there is one. What is no IP address is not limited: a
  // peer on a unix socket has none.
  std::optional<Clock::duration> refuse(std::string_view address, Clock::time_point now);

 private:
  static constexpr std::size_t kShards = 64;
  static constexpr std::size_t kWays = 8;
  static constexpr std::size_t kSets = kEntries / kShards / kWays;

  struct Entry {
    std::uint64_t key = 0;
    std::int64_t full_at = 0;  // ns of the clock; 0: free
  };
  struct Shard {
    std::mutex mutex;
    std::array<std::array<Entry, kWays>, kSets> sets;
  };

  const std::int64_t interval_;   // ns between two tokens; 0: no limit
  const std::int64_t tolerance_;  // ns that `full_at` may lie ahead
  const std::uint64_t seed_;      // so that nobody can choose addresses of one set
  std::unique_ptr<std::array<Shard, kShards>> shards_;
};

}  // namespace plexsphere::host::http
