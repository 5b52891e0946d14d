#include "wait_until.hpp"

#include <thread>

namespace plexsphere::test_support {

bool wait_until(std::chrono::milliseconds limit, const std::function<bool()>& predicate) {
  constexpr std::chrono::milliseconds kPause{5};
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (std::chrono::steady_clock::now() < deadline) {
    if (predicate()) {
      return true;
    }
    std::this_thread::sleep_for(kPause);
  }
  return predicate();
}

}  // namespace plexsphere::test_support
