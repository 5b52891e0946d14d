#include "host/http/stream/hub_metrics.hpp"

namespace plexsphere::host::http::detail {
namespace {

prometheus::Counter& ended_series(telemetry::Metrics& metrics, StreamEnd why) {
  return metrics.counter("plexsphere_stream_ended_total", "Streams that ended, by reason.")
      .Add({{"reason", end_name(why)}});
}

prometheus::Counter& refused_frames(telemetry::Metrics& metrics, const char* reason) {
  return metrics
      .counter("plexsphere_stream_frames_refused_total",
               "Frames that were not taken: too many on the way to the stream thread (inbox), or "
               "waiting for their one reader (queue).")
      .Add({{"reason", reason}});
}

}  // namespace

const char* end_name(StreamEnd why) noexcept {
  switch (why) {
    case StreamEnd::kClientLeft:
      return "client_left";
    case StreamEnd::kSlow:
      return "slow";
    case StreamEnd::kDraining:
      return "draining";
    case StreamEnd::kNone:
    case StreamEnd::kClosed:
      break;
  }
  return "closed";
}

HubMetrics::HubMetrics(telemetry::Metrics& metrics)
    : subscribers(
          metrics.gauge("plexsphere_stream_subscribers", "Streams that are open now.").Add({})),
      opened(
          metrics.counter("plexsphere_stream_opened_total", "Streams that were opened.").Add({})),
      refused(metrics
                  .counter("plexsphere_stream_refused_total",
                           "Streams that were not opened because there were max_streams.")
                  .Add({})),
      frames_published(metrics
                           .counter("plexsphere_stream_frames_published_total",
                                    "Frames published to a channel that had a subscriber.")
                           .Add({})),
      frames_sent(metrics
                      .counter("plexsphere_stream_frames_sent_total",
                               "Frames that subscribers' sockets have taken.")
                      .Add({})),
      inbox_full(refused_frames(metrics, "inbox")),
      queue_full(refused_frames(metrics, "queue")),
      lag(metrics
              .histogram("plexsphere_stream_lag_seconds",
                         "From publishing a frame to offering it to its last subscriber.")
              .Add({}, telemetry::Metrics::latency_buckets())),
      left_(ended_series(metrics, StreamEnd::kClientLeft)),
      slow_(ended_series(metrics, StreamEnd::kSlow)),
      closed_(ended_series(metrics, StreamEnd::kClosed)),
      draining_(ended_series(metrics, StreamEnd::kDraining)) {}

prometheus::Counter& HubMetrics::ended(StreamEnd why) {
  switch (why) {
    case StreamEnd::kClientLeft:
      return left_;
    case StreamEnd::kSlow:
      return slow_;
    case StreamEnd::kDraining:
      return draining_;
    case StreamEnd::kNone:
    case StreamEnd::kClosed:
      break;
  }
  return closed_;
}

}  // namespace plexsphere::host::http::detail
