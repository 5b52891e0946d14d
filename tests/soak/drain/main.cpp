// drain COUNT: two replicas behind a balancer under constant load, one of them drained and started
// again COUNT times in turn. Prints one JSON line; fails when a single request or stream failed, a
// fresh connection was turned away within the drain delay, a drain did not end with 0 in its grace,
// or readiness took more than 100 ms to turn in any drain.
#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <stdexcept>
#include <string>
#include <vector>

#include "soak/drain/balancer.hpp"
#include "soak/drain/load.hpp"
#include "soak/drain/replica.hpp"
#include "soak/drain/streams.hpp"
#include "support/wait_until.hpp"

namespace plexsphere::soak {
namespace {

using namespace std::chrono_literals;

constexpr int kClients = 6;
constexpr int kSubscribers = 4;
constexpr std::uint64_t kServedBefore = 20;  // requests by each replica before one is drained
constexpr double kFlipLimitMs = 100;

class Run {
 public:
  Run() : load_(start_all(), kClients), streams_(balancer_, kSubscribers) {}

  void drain(std::size_t index) {
    wait_until_loaded();
    const auto drained = replicas_[index].drain();
    flips_.push_back(drained.flip_ms);
    exits_.push_back(drained.exit_ms);
    admitted_ += drained.admitted;
    for (const auto& why : drained.turned_away) {
      turned_away_.push_back("turned away within the drain delay: " + why);
    }
    if (drained.admitted == 0) {
      turned_away_.emplace_back("nobody was admitted within the drain delay");
    }
    start(index);
  }

  // True when all went well.
  bool report() {
    wait_until_loaded();
    std::sort(flips_.begin(), flips_.end());
    const std::uint64_t failed = std::max(load_.failed(), balancer_.failed());
    const auto cut = streams_.failures();
    std::printf(R"({"name":"drain","drains":%zu,"served":%llu,"failed":%llu,)"
                R"("late_admitted":%llu,"late_turned_away":%zu,"streams_dismissed":%llu,)"
                R"("streams_failed":%zu,"flip_ms_median":%.1f,"flip_ms_max":%.1f,)"
                R"("exit_ms_max":%.0f})"
                "\n",
                flips_.size(), number(load_.served()), number(failed), number(admitted_),
                turned_away_.size(), number(streams_.dismissed()), cut.size(),
                flips_[flips_.size() / 2], flips_.back(),
                *std::max_element(exits_.begin(), exits_.end()));
    print(balancer_.failures());
    print(turned_away_);
    print(cut);
    const bool dismissed = streams_.dismissed() >= flips_.size();
    if (!dismissed) {
      print({"fewer streams were dismissed than there were drains"});
    }
    if (flips_.back() > kFlipLimitMs) {
      print({"readiness took " + std::to_string(flips_.back()) + " ms to turn"});
    }
    return failed == 0 && turned_away_.empty() && cut.empty() && dismissed &&
           flips_.back() <= kFlipLimitMs;
  }

 private:
  static unsigned long long number(std::uint64_t value) { return value; }

  static void print(const std::vector<std::string>& lines) {
    for (const auto& line : lines) {
      std::cerr << "drain: " << line << '\n';
    }
  }

  std::uint16_t start_all() {
    for (std::size_t i = 0; i < kReplicas; ++i) {
      start(i);
    }
    for (std::size_t i = 0; i < kReplicas; ++i) {
      wait_until_ready(i);
    }
    return balancer_.port();
  }

  void start(std::size_t index) {
    replicas_[index].start();
    balancer_.set_replica(index, replicas_[index].ports());
  }

  void wait_until_ready(std::size_t index) {
    if (!test_support::wait_until(30s, [&] { return balancer_.up(index); })) {
      throw std::runtime_error("replica " + std::to_string(index) + " is not ready");
    }
  }

  // Both take their share: a drain of a replica that nobody uses proves nothing.
  void wait_until_loaded() {
    for (std::size_t i = 0; i < kReplicas; ++i) {
      wait_until_ready(i);
      const std::uint64_t before = balancer_.served(i);
      if (!test_support::wait_until(
              10s, [&] { return balancer_.served(i) >= before + kServedBefore; })) {
        print(balancer_.failures());
        throw std::runtime_error("replica " + std::to_string(i) + " gets no requests");
      }
    }
    if (!test_support::wait_until(10s, [&] { return streams_.open() == kSubscribers; })) {
      print(streams_.failures());
      throw std::runtime_error("not every subscriber has its stream");
    }
  }

  std::array<Replica, kReplicas> replicas_;
  Balancer balancer_;
  Load load_;
  Streams streams_;
  std::vector<double> flips_;
  std::vector<double> exits_;
  std::uint64_t admitted_ = 0;
  std::vector<std::string> turned_away_;
};

int run(int count) {
  Run drains;
  for (int i = 0; i < count; ++i) {
    drains.drain(static_cast<std::size_t>(i) % kReplicas);
    if ((i + 1) % 100 == 0) {
      std::cerr << "drain: " << i + 1 << " of " << count << std::endl;
    }
  }
  return drains.report() ? 0 : 1;
}

}  // namespace
}  // namespace plexsphere::soak

int main(int argc, char** argv) {
  const int count = argc == 2 ? std::atoi(argv[1]) : 0;
  if (count < 1) {
    std::cerr << "usage: drain COUNT\n";
    return 2;
  }
  try {
    return plexsphere::soak::run(count);
  } catch (const std::exception& error) {
    std::cerr << "drain: " << error.what() << std::endl;
    return 1;
  }
}
