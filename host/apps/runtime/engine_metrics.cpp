#include "host/apps/runtime/engine_metrics.hpp"

#include <algorithm>
#include <string>

namespace plexsphere::host::apps {
namespace {

prometheus::Gauge& connections(telemetry::Metrics& metrics, const char* state) {
  return metrics
      .gauge("plexsphere_http_connections",
             "Connections of clients: between requests, in one, or holding a stream.")
      .Add({{"state", state}});
}

prometheus::Gauge& waiting(telemetry::Metrics& metrics, const char* lane) {
  return metrics.gauge("plexsphere_http_waiting", "Requests that wait for a thread of their lane.")
      .Add({{"lane", lane}});
}

prometheus::Counter& refused(telemetry::Metrics& metrics, const char* reason) {
  return metrics
      .counter("plexsphere_http_connections_refused_total",
               "Connections turned away over max_connections (total) or "
               "max_connections_per_address (address).")
      .Add({{"reason", reason}});
}

prometheus::Counter& closed(telemetry::Metrics& metrics, const char* reason) {
  return metrics
      .counter("plexsphere_http_connections_closed_total",
               "Connections closed without a word: silent for idle_timeout, or their clients did "
               "not take an answer within receive_timeout.")
      .Add({{"reason", reason}});
}

prometheus::Counter& handshakes(telemetry::Metrics& metrics, const char* result) {
  return metrics
      .counter("plexsphere_tls_handshakes_total", "TLS handshakes of clients that came to an end.")
      .Add({{"result", result}});
}

void set(prometheus::Gauge& gauge, std::size_t value) {
  gauge.Set(static_cast<double>(value));
}

}  // namespace

EngineMetrics::EngineMetrics(telemetry::Metrics& metrics)
    : idle_(connections(metrics, "idle")),
      busy_(connections(metrics, "busy")),
      streams_(connections(metrics, "stream")),
      in_flight_(
          metrics.gauge("plexsphere_http_in_flight", "Requests taken and not answered.").Add({})),
      waiting_fast_(waiting(metrics, "fast")),
      waiting_blocking_(waiting(metrics, "blocking")),
      buffered_(metrics
                    .gauge("plexsphere_http_buffered_bytes",
                           "Bytes of request bodies that are held, of at most max_buffered_bytes.")
                    .Add({})),
      accepted_{metrics
                    .counter("plexsphere_http_connections_accepted_total",
                             "Connections of clients that were taken.")
                    .Add({})},
      refused_in_total_{refused(metrics, "total")},
      refused_by_address_{refused(metrics, "address")},
      closed_idle_{closed(metrics, "idle")},
      closed_untaken_{closed(metrics, "answer_not_taken")},
      handshakes_{handshakes(metrics, "ok")},
      failed_handshakes_{handshakes(metrics, "failed")} {}

void EngineMetrics::Total::reach(std::size_t now) {
  if (now > seen) {
    counter.Increment(static_cast<double>(now - seen));
    seen = now;
  }
}

void EngineMetrics::update(const http::EngineFigures& figures, std::size_t streams) {
  const std::lock_guard lock(mutex_);
  // The figures are read one after the other while the engine runs, so they need not add up.
  const std::size_t quiet = figures.idle_connections + streams;
  set(idle_, figures.idle_connections);
  set(streams_, streams);
  set(busy_, figures.connections - std::min(figures.connections, quiet));
  set(in_flight_, figures.in_flight);
  set(waiting_fast_, figures.waiting_fast);
  set(waiting_blocking_, figures.waiting_blocking);
  set(buffered_, figures.buffered_bytes);
  accepted_.reach(figures.accepted);
  refused_in_total_.reach(figures.refused_in_total);
  refused_by_address_.reach(figures.refused_by_address);
  closed_idle_.reach(figures.closed_idle);
  closed_untaken_.reach(figures.closed_untaken);
  handshakes_.reach(figures.tls_handshakes);
  failed_handshakes_.reach(figures.tls_failures);
}

}  // namespace plexsphere::host::apps
