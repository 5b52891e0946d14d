// /livez, /readyz and /metrics: the same in both processes.
#pragma once

#include <functional>
#include <vector>

#include "host/health/registry.hpp"
#include "host/http/engine.hpp"
#include "host/http/pipeline/route.hpp"
#include "host/telemetry/metrics.hpp"

namespace plexsphere::host::apps {

// `engine` yields the engine once it exists. All must outlive the routes.
std::vector<http::Route> host_routes(health::Registry& health, telemetry::Metrics& metrics,
                                     std::function<const http::Engine*()> engine);

}  // namespace plexsphere::host::apps
