// px.log/1: a plugin's log lines, written with its id.
#pragma once

#include "host/services/provider.hpp"

namespace plexsphere::host::services {

std::unique_ptr<ServiceProvider> make_log_service(HostContext& host);

}  // namespace plexsphere::host::services
