// Waiting for something another process or thread does, without guessing how long it takes.
// Thread-safe: no state.
#pragma once

#include <chrono>
#include <functional>

namespace plexsphere::test_support {

// Asks `predicate` every few milliseconds until it says true or `limit` has passed on the steady
// clock; asks at least once, and once more at the end. Returns its last answer. The limit is what
// makes a broken program a failed test instead of a hanging one: make it generous.
[[nodiscard]] bool wait_until(std::chrono::milliseconds limit,
                              const std::function<bool()>& predicate);

}  // namespace plexsphere::test_support
