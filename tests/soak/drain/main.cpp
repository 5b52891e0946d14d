// drain COUNT: two replicas behind a balancer under constant load, one of them drained and started
// again COUNT times in turn. Prints one JSON line; fails when a single request failed, a drain did
// not end with 0 in its grace, or readiness took more than 100 ms (median) to turn.
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
#include "support/wait_until.hpp"

namespace plexsphere::soak {
namespace {

using namespace std::chrono_literals;

constexpr int kClients = 6;
constexpr std::uint64_t kServedBefore = 20;  // requests by each replica before one is drained
constexpr double kFlipLimitMs = 100;

class Run {
 public:
  Run() : load_(start_all(), kClients) {}

  void drain(std::size_t index) {
    wait_until_loaded();
    const auto drained = replicas_[index].drain();
    flips_.push_back(drained.flip_ms);
    exits_.push_back(drained.exit_ms);
    start(index);
  }

  bool report() {
    wait_until_loaded();
    std::sort(flips_.begin(), flips_.end());
    const double flip = flips_[flips_.size() / 2];
    const std::uint64_t failed = std::max(load_.failed(), balancer_.failed());
    std::printf(R"({"name":"drain","drains":%zu,"served":%llu,"failed":%llu,"flip_ms_median":%.1f,)"
                R"("flip_ms_max":%.1f,"exit_ms_max":%.0f})"
                "\n",
                flips_.size(), static_cast<unsigned long long>(load_.served()),
                static_cast<unsigned long long>(failed), flip, flips_.back(),
                *std::max_element(exits_.begin(), exits_.end()));
    for (const auto& failure : balancer_.failures()) {
      std::cerr << "drain: " << failure << '\n';
    }
    if (flip > kFlipLimitMs) {
      std::cerr << "drain: readiness took " << flip << " ms to turn\n";
    }
    return failed == 0 && flip <= kFlipLimitMs;
  }

 private:
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
    balancer_.set_replica(index, replicas_[index].port());
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
        for (const auto& failure : balancer_.failures()) {
          std::cerr << "drain: " << failure << '\n';
        }
        throw std::runtime_error("replica " + std::to_string(i) + " gets no requests");
      }
    }
  }

  std::array<Replica, kReplicas> replicas_;
  Balancer balancer_;
  Load load_;
  std::vector<double> flips_;
  std::vector<double> exits_;
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
