// The process's own figures, read from /proc when they are asked for (names as Prometheus client
// libraries give them: process_cpu_seconds_total and so on).
#pragma once

#include <prometheus/metric_family.h>

#include <vector>

namespace plexsphere::host::telemetry {

// A figure that /proc does not yield is left out. Safe from any thread.
std::vector<prometheus::MetricFamily> collect_process_metrics();

}  // namespace plexsphere::host::telemetry
