// What somebody may have meant who wrote a name that does not exist.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace plexsphere::host::config {

// The one of `names` closest to `name` by Levenshtein distance, if it is close enough to be a slip
// of the finger.
std::optional<std::string> nearest(std::string_view name, std::span<const std::string> names);

}  // namespace plexsphere::host::config
