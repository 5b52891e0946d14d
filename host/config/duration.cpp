#include "host/config/duration.hpp"

#include <array>
#include <charconv>
#include <cstdint>
#include <utility>

namespace plexsphere::host::config {
namespace {

constexpr std::int64_t kLongest = std::int64_t{100} * 366 * 86'400'000;

// Largest first, so that formatting takes the first that divides.
constexpr std::array<std::pair<std::string_view, std::int64_t>, 5> kUnits{
    {{"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}}};

}  // namespace

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
  std::int64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc() || count < 0) {
    return std::nullopt;
  }
  const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  for (const auto& [name, milliseconds] : kUnits) {
    if (unit == name) {
      return count > kLongest / milliseconds
                 ? std::nullopt
                 : std::optional(std::chrono::milliseconds(count * milliseconds));
    }
  }
  return std::nullopt;
}

std::string format_duration(std::chrono::milliseconds value) {
  if (value.count() == 0) {
    return "0s";
  }
  for (const auto& [name, milliseconds] : kUnits) {
    if (value.count() % milliseconds == 0) {
      return std::to_string(value.count() / milliseconds) + std::string(name);
    }
  }
  return std::to_string(value.count()) + "ms";
}

}  // namespace plexsphere::host::config
