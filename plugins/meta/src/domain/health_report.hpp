// What is told of health to anybody who asks: which dependency, in which state, and no cause.
// Values and pure functions, any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace plexsphere::meta {

enum class HealthState { ok, degraded, down };

// The contract's word.
std::string_view text_of(HealthState state);
// A fixed sentence: this page is public, causes are in the log and in /readyz.
std::string_view detail_of(HealthState state);

struct DependencyHealth {
  std::string name;  // stable
  HealthState state;
};

// Invariant: `checks` ascend by name.
struct HealthReport {
  HealthState rollup = HealthState::ok;
  std::vector<DependencyHealth> checks;
};

// 503 for down, else 200.
int http_status_of(HealthState rollup);

}  // namespace plexsphere::meta
