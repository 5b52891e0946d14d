// px.info/1: this build and its plugins.
#pragma once

#include "host/services/plugin_states.hpp"
#include "host/services/provider.hpp"

namespace plexsphere::host::services {

// `states` must outlive the service.
std::unique_ptr<ServiceProvider> make_info_service(const PluginStates& states);

}  // namespace plexsphere::host::services
