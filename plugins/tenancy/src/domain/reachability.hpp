// When a Domain's Nodes must be heard of, and when they count as stale or unreachable. Regular
// value type and pure functions, any thread.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace plexsphere::tenancy {

// Durations travel as text: one or more of <number><unit>, units h, m, s, ms ("30s", "5m",
// "1m30s"). Nothing for anything else, or above 24 h.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);
// Whole seconds as "300s", otherwise "1500ms".
std::string duration_text(std::chrono::milliseconds duration);

struct Reachability {
  std::chrono::milliseconds heartbeat_interval{30'000};
  std::chrono::milliseconds stale_after{90'000};
  std::chrono::milliseconds unreachable_after{300'000};

  bool operator==(const Reachability&) const = default;
};

// As written by a caller; empty text is absent.
struct ReachabilityText {
  std::string heartbeat_interval;
  std::string stale_after;
  std::string unreachable_after;
};

// The platform's default when all three are absent or zero; the policy when it is complete and
// holds: heartbeat 10 s to 1 h, stale at least three heartbeats, unreachable at least twice stale,
// both at most 1 h. Otherwise one sentence that says what is wrong.
std::variant<Reachability, std::string> reachability_of(const ReachabilityText& text);

}  // namespace plexsphere::tenancy
