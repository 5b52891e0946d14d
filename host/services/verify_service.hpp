// px.verify/1: signatures of others.
#pragma once

#include "host/services/provider.hpp"

namespace plexsphere::host::services {

std::unique_ptr<ServiceProvider> make_verify_service();

}  // namespace plexsphere::host::services
