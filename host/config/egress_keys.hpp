// The keys of [context.<id>] that say where a context may go. They are the host's: a plugin can
// neither declare nor read them, and none exists for a plugin whose manifest asks for no egress.
//
// Thread safety: values and pure functions.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "host/config/issue.hpp"
#include "host/config/origin.hpp"
#include "host/config/settings.hpp"

namespace plexsphere::host::config {

// What a manifest writes for "wherever the operator says".
inline constexpr std::string_view kAnyOrigin = "*";

std::span<const KeySpec> egress_keys();

// Whether a plugin may not call a key of its own so.
bool is_host_key(std::string_view name);

// What types and bounds cannot say: each grant an origin, a whole credential or none. `heading` is
// where the context begins.
void check_egress(const Settings& settings, const Location& heading, Issues& issues);

// The grants of checked settings.
std::vector<Origin> granted_origins(const Settings& settings);

}  // namespace plexsphere::host::config
