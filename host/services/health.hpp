// px.health/1: a plugin's probes, and the sum of all.
#pragma once

#include "host/services/provider.hpp"

namespace plexsphere::host::services {

// A probe "database" of plugin "audit" is registered as "audit.database".
std::unique_ptr<ServiceProvider> make_health_service(HostContext& host);

}  // namespace plexsphere::host::services
