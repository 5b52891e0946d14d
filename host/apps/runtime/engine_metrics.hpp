// The engine's and the hub's figures as Prometheus series.
//
// Thread safety: update from any thread. Ownership: the metrics must outlive it.
#pragma once

#include <cstddef>
#include <mutex>

#include "host/http/engine.hpp"
#include "host/telemetry/metrics.hpp"

namespace plexsphere::host::apps {

class EngineMetrics {
 public:
  explicit EngineMetrics(telemetry::Metrics& metrics);

  // Figures of one engine, each time later ones. `streams` are the connections that streams hold.
  void update(const http::EngineFigures& figures, std::size_t streams);

 private:
  struct Total {
    prometheus::Counter& counter;
    std::size_t seen = 0;

    void reach(std::size_t now);
  };

  std::mutex mutex_;  // of everything below: two scrapes must not count the same twice
  prometheus::Gauge& idle_;
  prometheus::Gauge& busy_;
  prometheus::Gauge& streams_;
  prometheus::Gauge& in_flight_;
  prometheus::Gauge& waiting_fast_;
  prometheus::Gauge& waiting_blocking_;
  prometheus::Gauge& buffered_;
  Total accepted_;
  Total refused_in_total_;
  Total refused_by_address_;
  Total closed_idle_;
  Total closed_untaken_;
  Total handshakes_;
  Total failed_handshakes_;
};

}  // namespace plexsphere::host::apps
