#include "http/plugin_list.hpp"

#include <nlohmann/json.hpp>

namespace plexsphere::meta {

using Json = nlohmann::ordered_json;

std::string_view text_of_state(px_plugin_state state) {
  switch (state) {
    case PX_PLUGIN_DISCOVERED:
      return "discovered";
    case PX_PLUGIN_REJECTED:
      return "rejected";
    case PX_PLUGIN_DISABLED:
      return "disabled";
    case PX_PLUGIN_FAILED:
      return "failed";
    case PX_PLUGIN_RUNNING:
      return "running";
    case PX_PLUGIN_DRAINING:
      return "draining";
    default:
      return "unknown";
  }
}

std::string plugin_list_json(const std::vector<sdk::PluginInfo>& plugins) {
  Json items = Json::array();
  for (const sdk::PluginInfo& plugin : plugins) {
    items.push_back({{"id", plugin.id},
                     {"version", plugin.version},
                     {"state", text_of_state(plugin.state)},
                     {"reason", plugin.reason}});
  }
  // A reason may quote a plugin's own text: what is no UTF-8 in it must not take the list away.
  return Json{{"items", std::move(items)}}.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace plexsphere::meta
