// px.metrics/1: a plugin's Prometheus series.
#pragma once

#include "host/services/provider.hpp"

namespace plexsphere::host::services {

std::unique_ptr<ServiceProvider> make_metrics_service(HostContext& host);

}  // namespace plexsphere::host::services
