// Latencies counted in buckets that are at most 1.6 % wide, in fixed memory and a few nanoseconds.
// Not thread-safe. Regular value.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <cstdint>

namespace plexsphere::bench {

class Histogram {
 public:
  void add(std::chrono::nanoseconds latency) {
    const auto ns = std::max<std::int64_t>(latency.count(), 1);
    ++counts_[bucket(static_cast<std::uint64_t>(ns))];
    ++total_;
  }
  std::uint64_t total() const { return total_; }
  // The latency that `share` (0 to 1) of all did not exceed, in microseconds; 0 when there are
  // none.
  double quantile_us(double share) const {
    std::uint64_t left = static_cast<std::uint64_t>(share * static_cast<double>(total_));
    for (std::size_t i = 0; i < counts_.size(); ++i) {
      if (counts_[i] > left) {
        return static_cast<double>(upper(i)) / 1000.0;
      }
      left -= counts_[i];
    }
    return 0;
  }

 private:
  static constexpr unsigned kBits = 6;  // 64 buckets in every power of two

  static std::size_t bucket(std::uint64_t value) {
    const unsigned width = static_cast<unsigned>(std::bit_width(value));
    const unsigned shift = width > kBits + 1 ? width - kBits - 1 : 0;
    return (std::size_t{shift} << kBits) + static_cast<std::size_t>(value >> shift);
  }
  static std::uint64_t upper(std::size_t index) {
    const std::size_t shift = index < (std::size_t{2} << kBits) ? 0 : (index >> kBits) - 1;
    return (std::uint64_t{index - (shift << kBits)} + 1) << shift;
  }

  std::array<std::uint64_t, (std::size_t{60} << kBits)> counts_{};
  std::uint64_t total_ = 0;
};

}  // namespace plexsphere::bench
