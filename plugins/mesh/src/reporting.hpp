// What Nodes tell beside their heartbeats, put together: stores, routes, the sweep.
#pragma once

#include "plexsphere/sdk/plugin.hpp"

namespace plexsphere::mesh {

// [init] Everything it makes lives until the process ends.
sdk::Status configure_reporting(const sdk::Host& host);

}  // namespace plexsphere::mesh
