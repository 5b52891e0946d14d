// Checks one TOML table against declared keys. Internal to host/config: nothing outside sees
// toml++.
#pragma once

#include <toml++/toml.h>

#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "host/config/issue.hpp"
#include "host/config/settings.hpp"

namespace plexsphere::host::config::detail {

// What was written under one heading, gathered over several files: key → the node that wins.
struct Gathered {
  Location heading;
  std::map<std::string, const toml::node*, std::less<>> keys;
};

Location location_of(const toml::node& node);
// The node as an operator would write it, cut at 80 characters.
std::string shown(const toml::node& node);

// The value of `node` as `type`, or nothing when it has another type or is badly written.
std::optional<Value> value_of(const toml::node& node, KeyType type);
// What a value of this type looks like, for the fix.
std::string example_of(KeyType type);

// Checks `gathered` against `specs`, applies defaults, reports every issue it finds rather than the
// first. `heading` is how messages call the section, e.g. "[database]".
Settings check_keys(const Gathered& gathered, std::span<const KeySpec> specs,
                    const std::string& heading, Issues& issues);

}  // namespace plexsphere::host::config::detail
