// The process's metrics: one Prometheus registry, the process's own figures, the build's labels.
//
// Thread safety: all members from any thread. Ownership: owns the registry; families and series
// live as long as it does.
#pragma once

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <string>
#include <vector>

namespace plexsphere::host::telemetry {

class Metrics {
 public:
  Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  prometheus::Registry& registry() { return registry_; }

  // Asking again for the same name gives the same family. Labels must be of bounded cardinality:
  // never the id of a Node, a user or a Domain.
  prometheus::Family<prometheus::Counter>& counter(const std::string& name,
                                                   const std::string& help);
  prometheus::Family<prometheus::Gauge>& gauge(const std::string& name, const std::string& help);
  prometheus::Family<prometheus::Histogram>& histogram(const std::string& name,
                                                       const std::string& help);

  // Everything in the Prometheus text format 0.0.4.
  std::string render() const;
  static const char* content_type() { return "text/plain; version=0.0.4; charset=utf-8"; }

  // Upper bounds in seconds that fit both a cache hit and a slow transaction.
  static const std::vector<double>& latency_buckets();

 private:
  prometheus::Registry registry_;
};

}  // namespace plexsphere::host::telemetry
