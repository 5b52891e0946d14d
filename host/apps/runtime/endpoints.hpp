// /livez, /readyz and /metrics: the same in both processes.
#pragma once

#include <functional>
#include <vector>

#include "host/apps/runtime/readiness.hpp"
#include "host/http/pipeline/route.hpp"
#include "host/telemetry/metrics.hpp"

namespace plexsphere::host::apps {

// `refresh` brings figures that are only read on demand into `metrics`. All must outlive the
// routes.
std::vector<http::Route> host_routes(const Readiness& readiness, telemetry::Metrics& metrics,
                                     std::function<void()> refresh);

}  // namespace plexsphere::host::apps
