// px.egress/1: requests to granted hosts, on the egress engine.
#pragma once

#include <memory>

#include "host/egress/engine.hpp"
#include "host/services/provider.hpp"

namespace plexsphere::host::services {

// Granted to plugins whose manifest asks for egress. Each reaches what both its manifest and
// [context.<id>] egress list.
std::unique_ptr<ServiceProvider> make_egress_service(HostContext& host,
                                                     egress::EngineOptions options);

}  // namespace plexsphere::host::services
