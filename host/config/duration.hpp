// Durations as operators write them: a whole number and one unit.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace plexsphere::host::config {

// "250ms", "30s", "5m", "2h", "7d". Nothing for any other text, or beyond 100 years.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);
// The shortest text that parse_duration reads back as `value`. Requires value >= 0.
std::string format_duration(std::chrono::milliseconds value);

}  // namespace plexsphere::host::config
