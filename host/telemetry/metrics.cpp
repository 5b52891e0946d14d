#include "host/telemetry/metrics.hpp"

#include <prometheus/text_serializer.h>

#include <iterator>

#include "host/base/build_info.hpp"
#include "host/telemetry/process_metrics.hpp"

namespace plexsphere::host::telemetry {

Metrics::Metrics() : registry_(prometheus::Registry::InsertBehavior::Merge) {
  const BuildInfo& build = build_info();
  gauge("plexsphere_build_info", "Which build this is; always 1.")
      .Add({{"version", std::string(build.version)},
            {"commit", std::string(build.commit)},
            {"date", std::string(build.date)}})
      .Set(1);
}

prometheus::Family<prometheus::Counter>& Metrics::counter(const std::string& name,
                                                          const std::string& help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry_);
}

prometheus::Family<prometheus::Gauge>& Metrics::gauge(const std::string& name,
                                                      const std::string& help) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(registry_);
}

prometheus::Family<prometheus::Histogram>& Metrics::histogram(const std::string& name,
                                                              const std::string& help) {
  return prometheus::BuildHistogram().Name(name).Help(help).Register(registry_);
}

std::string Metrics::render() const {
  auto families = registry_.Collect();
  auto process = collect_process_metrics();
  families.insert(families.end(), std::make_move_iterator(process.begin()),
                  std::make_move_iterator(process.end()));
  return prometheus::TextSerializer().Serialize(families);
}

const std::vector<double>& Metrics::latency_buckets() {
  static const std::vector<double> bounds{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                          0.1,    0.25,  0.5,    1,     2.5,  5,     10};
  return bounds;
}

}  // namespace plexsphere::host::telemetry
