// What became of every plugin, as the operators' list of plugins shows it. Pure, any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "plexsphere/sdk/services.hpp"

namespace plexsphere::meta {

// "discovered", "rejected", "disabled", "failed", "running", "draining"; "unknown" for a state that
// is newer than this plugin.
std::string_view text_of_state(px_plugin_state state);

// PluginList as JSON text, in the order given.
std::string plugin_list_json(const std::vector<sdk::PluginInfo>& plugins);

}  // namespace plexsphere::meta
