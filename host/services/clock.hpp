// px.clock/1: the system's clocks.
#pragma once

#include "host/services/provider.hpp"

namespace plexsphere::host::services {

std::unique_ptr<ServiceProvider> make_clock_service();

}  // namespace plexsphere::host::services
