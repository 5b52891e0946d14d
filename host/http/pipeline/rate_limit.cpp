#include "host/http/pipeline/rate_limit.hpp"

#include <algorithm>
#include <random>

#include "host/http/ip_address.hpp"

namespace plexsphere::host::http {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;  // ns

std::uint64_t random_seed() {
  std::random_device device;
  return (std::uint64_t{device()} << 32) | device();
}

// The finalizer of SplitMix64 over the seeded key.
std::uint64_t mixed(std::uint64_t key, std::uint64_t seed) {
  std::uint64_t x = key ^ seed;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9U;
  x = ((x ^ (x >> 27)) + seed) * 0x94D049BB133111EBU;
  return x ^ (x >> 31);
}

}  // namespace

RateLimiter::RateLimiter(std::uint32_t rate, std::uint32_t burst)
    : interval_(rate == 0 ? 0 : kSecond / rate),
      tolerance_(interval_ * (std::max(burst, 1U) - 1)),
      seed_(random_seed()),
      shards_(rate == 0 ? nullptr : std::make_unique<std::array<Shard, kShards>>()) {}

std::optional<RateLimiter::Clock::duration> RateLimiter::refuse(std::string_view address,
                                                                Clock::time_point now) {
  if (interval_ == 0) {
    return std::nullopt;
  }
  const auto key = network_key(address);
  if (!key) {
    return std::nullopt;
  }
  const std::int64_t at =
      std::chrono::duration_cast<std::chrono::nanoseconds>(now.time_since_epoch()).count();
  const std::uint64_t hash = mixed(*key, seed_);
  Shard& shard = (*shards_)[hash % kShards];
  const std::lock_guard lock(shard.mutex);
  auto& set = shard.sets[(hash / kShards) % kSets];
  auto entry = std::find_if(set.begin(), set.end(),
                            [&](const Entry& one) { return one.full_at != 0 && one.key == *key; });
  if (entry == set.end()) {
    entry = std::min_element(set.begin(), set.end(),
                             [](const Entry& a, const Entry& b) { return a.full_at < b.full_at; });
    *entry = {*key, 0};
  }
  const std::int64_t full_at = std::max(entry->full_at, at);
  if (full_at - at > tolerance_) {
    return std::chrono::nanoseconds(full_at - at - tolerance_);
  }
  entry->full_at = full_at + interval_;
  return std::nullopt;
}

}  // namespace plexsphere::host::http
