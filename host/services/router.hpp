// px.router/1: collects the routes that plugins register in configure.
#pragma once

#include <vector>

#include "host/http/pipeline/route.hpp"
#include "host/services/provider.hpp"

namespace plexsphere::host::services {

// The routes are handed on to the router only when their plugin runs and they are what its manifest
// says. Granted to plugins with the capability `routes`.
class RouterService : public ServiceProvider {
 public:
  // Routes registered so far, in order. Main thread.
  virtual std::vector<http::Route> routes_of(const PluginContext& plugin) = 0;
};

std::unique_ptr<RouterService> make_router_service();

}  // namespace plexsphere::host::services
