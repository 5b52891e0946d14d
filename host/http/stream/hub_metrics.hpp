// The figures of the stream hub. Internal to host/http/stream.
//
// Thread safety: any thread. Ownership: the registry owns the series.
#pragma once

#include "host/http/stream/hub.hpp"
#include "host/telemetry/metrics.hpp"

namespace plexsphere::host::http::detail {

// The label value of a reason ("slow").
const char* end_name(StreamEnd why) noexcept;

class HubMetrics {
 public:
  explicit HubMetrics(telemetry::Metrics& metrics);

  prometheus::Counter& ended(StreamEnd why);

  prometheus::Gauge& subscribers;  // attached
  prometheus::Counter& opened;
  prometheus::Counter& refused;  // over max_subscribers
  prometheus::Counter& frames_published;
  prometheus::Counter& frames_sent;
  prometheus::Counter& inbox_full;  // frames that publish refused
  prometheus::Counter& queue_full;  // frames that send refused
  prometheus::Histogram& lag;       // publish to last send, seconds

 private:
  prometheus::Counter& left_;
  prometheus::Counter& slow_;
  prometheus::Counter& closed_;
  prometheus::Counter& draining_;
};

}  // namespace plexsphere::host::http::detail
