#include "domain/reachability.hpp"

#include <array>
#include <cstdint>

namespace plexsphere::tenancy {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kLeast{10'000};
constexpr milliseconds kMost{3'600'000};
constexpr std::int64_t kMostParsed = 24LL * 3'600'000;

struct Unit {
  std::string_view name;
  std::int64_t ms;
};
constexpr std::array<Unit, 4> kUnits{{{"ms", 1}, {"s", 1'000}, {"m", 60'000}, {"h", 3'600'000}}};

std::optional<std::int64_t> take_number(std::string_view& text) {
  std::int64_t value = 0;
  std::size_t digits = 0;
  while (digits < text.size() && text[digits] >= '0' && text[digits] <= '9') {
    value = value * 10 + (text[digits] - '0');
    if (++digits > 9) {
      return std::nullopt;
    }
  }
  text.remove_prefix(digits);
  return digits == 0 ? std::nullopt : std::optional(value);
}

// "ms" is tried before "m".
std::optional<std::int64_t> take_unit(std::string_view& text) {
  for (const Unit& unit : kUnits) {
    if (text.starts_with(unit.name)) {
      text.remove_prefix(unit.name.size());
      return unit.ms;
    }
  }
  return std::nullopt;
}

// Absent counts as zero.
std::optional<milliseconds> read(const std::string& text) {
  return text.empty() ? milliseconds{0} : parse_duration(text);
}

std::string bounds(std::string_view name, milliseconds least) {
  return "\"" + std::string(name) + "\" must be from " + duration_text(least) + " to " +
         duration_text(kMost) + ".";
}

}  // namespace

std::optional<milliseconds> parse_duration(std::string_view text) {
  std::int64_t total = 0;
  if (text.empty()) {
    return std::nullopt;
  }
  while (!text.empty()) {
    const auto number = take_number(text);
    const auto unit = number ? take_unit(text) : std::nullopt;
    if (!unit || *number > kMostParsed / *unit || total > kMostParsed - *number * *unit) {
      return std::nullopt;
    }
    total += *number * *unit;
  }
  return milliseconds(total);
}

std::string duration_text(milliseconds duration) {
  return duration.count() % 1000 == 0 ? std::to_string(duration.count() / 1000) + "s"
                                      : std::to_string(duration.count()) + "ms";
}

std::variant<Reachability, std::string> reachability_of(const ReachabilityText& text) {
  const auto heartbeat = read(text.heartbeat_interval);
  const auto stale = read(text.stale_after);
  const auto unreachable = read(text.unreachable_after);
  if (!heartbeat || !stale || !unreachable) {
    return "Durations are written like \"30s\" or \"5m\".";
  }
  constexpr milliseconds zero{0};
  if (*heartbeat == zero && *stale == zero && *unreachable == zero) {
    return Reachability{};
  }
  if (*heartbeat == zero || *stale == zero || *unreachable == zero) {
    return "The policy is partial: give heartbeat_interval, stale_after and unreachable_after, or "
           "none of them.";
  }
  if (*heartbeat < kLeast || *heartbeat > kMost) {
    return bounds("heartbeat_interval", kLeast);
  }
  if (*stale < 3 * *heartbeat || *stale > kMost) {
    return bounds("stale_after", 3 * *heartbeat);
  }
  if (*unreachable < 2 * *stale || *unreachable > kMost) {
    return bounds("unreachable_after", 2 * *stale);
  }
  return Reachability{*heartbeat, *stale, *unreachable};
}

}  // namespace plexsphere::tenancy
