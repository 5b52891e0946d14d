#include "host/http/pipeline/router.hpp"

#include <condition_variable>
#include <mutex>
#include <thread>

#include "host/http/pipeline/exchange.hpp"
#include "host/http/pipeline/refusals.hpp"
#include "host/http/pipeline/route_table.hpp"
#include "host/telemetry/log.hpp"
#include "host/telemetry/metrics.hpp"

namespace plexsphere::host::http {
namespace {

constexpr std::chrono::milliseconds kTick{50};

bool has_parameter(const std::string& path, const std::string& name) {
  return name.empty() || path.find("{" + name + "}") != std::string::npos;
}

Status wrong(const Route& route, const std::string& why) {
  return {Code::kInvalidArgument,
          "route " + route.method + " " + route.path + " of '" + route.owner + "' " + why};
}

Status check(const Route& route) {
  if (route.body_limit > kLargestBodyLimit) {
    return wrong(route, "asks for a body of " + std::to_string(route.body_limit) +
                            " bytes; at most 67108864 are allowed");
  }
  if (route.decoded_limit > kLargestBodyLimit) {
    return wrong(route, "asks for a decoded body of " + std::to_string(route.decoded_limit) +
                            " bytes; at most 67108864 are allowed");
  }
  if (!has_parameter(route.path, route.node_parameter) ||
      !has_parameter(route.path, route.object_parameter)) {
    return wrong(route, "names a node or object parameter that its path does not have");
  }
  if (route.denied_as != 403 && route.denied_as != 404) {
    return wrong(route, "has denied_as " + std::to_string(route.denied_as) + "; use 403 or 404");
  }
  if (!route.permission.empty() && route.object_type.empty()) {
    return wrong(route, "has a permission but no object type to check it on");
  }
  if (route.auth < PX_AUTH_NONE || route.auth > PX_AUTH_NODE_OR_OPERATOR) {
    return wrong(route, "has an unknown kind of authentication");
  }
  return {};
}

// A path without a route: refused in the pipeline's first step, counted under one label.
Route unmatched_route() {
  Route route;
  route.owner = "host";
  route.path = "(unmatched)";
  return route;
}

// For when nothing better can be made any more.
Response bare_failure() {
  return {500,
          "application/problem+json",
          R"({"type":"https://plexsphere.com/errors/internal","title":"Internal )"
          R"(Server Error","status":500,"detail":"Something went wrong on our )"
          R"(side.","instance":"","code":"internal"})",
          {}};
}

}  // namespace

prometheus::Histogram& RouteMetrics::show() {
  auto& made =
      seconds_.Add({{"route", route_}, {"method", method_}}, telemetry::Metrics::latency_buckets());
  histogram_ = &made;  // adding the same labels again gives the same series
  return made;
}

void RouteMetrics::observe(int status, double seconds) {
  prometheus::Histogram* histogram = histogram_.load(std::memory_order_acquire);
  (histogram == nullptr ? show() : *histogram).Observe(seconds);
  auto& slot = by_status_[static_cast<std::size_t>(status) % kStatuses];
  prometheus::Counter* counter = slot.load(std::memory_order_acquire);
  if (counter == nullptr) {
    counter = &requests_.Add(
        {{"route", route_}, {"method", method_}, {"status", std::to_string(status)}});
    slot = counter;
  }
  counter->Increment();
}

struct Router::Impl {
  Impl(telemetry::Logger& logger, telemetry::Metrics& metrics, RouterOptions options)
      : requests(metrics.counter("plexsphere_http_requests_total",
                                 "Requests answered, by route template, method and status.")),
        seconds(metrics.histogram("plexsphere_http_request_duration_seconds",
                                  "Time from the whole request to its answer.")),
        refusals(logger, metrics),
        pipeline{
            .log = logger,
            .options = options,
            .ports = {},
            .table = {},
            .unmatched = unmatched_route(),
            .limiter = RateLimiter(options.unauthenticated_rate, options.unauthenticated_burst),
            .in_flight = {},
            .late = metrics
                        .counter("plexsphere_http_late_completions_total",
                                 "Handlers that completed after the deadline.")
                        .Add({}),
            .duplicate = metrics
                             .counter("plexsphere_http_second_completions_total",
                                      "Requests that a handler completed twice.")
                             .Add({}),
            .expired = metrics
                           .counter("plexsphere_http_deadlines_exceeded_total",
                                    "Requests answered 503 because their deadline passed.")
                           .Add({}),
            .rate_limited =
                metrics
                    .counter("plexsphere_http_rate_limited_total",
                             "Requests answered 429 because their address made too many.")
                    .Add({})} {
    pipeline.unmatched.metrics = metrics_for(pipeline.unmatched.path, "any");
    pipeline.unmatched.metrics->show();
    keeper = std::thread([this] { keep_time(); });
  }

  ~Impl() {
    {
      const std::lock_guard lock(mutex);
      ending = true;
    }
    wake.notify_all();
    keeper.join();
  }

  RouteMetrics* metrics_for(const std::string& path, const std::string& method) {
    return route_metrics
        .emplace_back(std::make_unique<RouteMetrics>(requests, seconds, path, method))
        .get();
  }

  void keep_time() {
    std::unique_lock lock(mutex);
    while (!wake.wait_for(lock, kTick, [this] { return ending; })) {
      lock.unlock();
      const auto now = std::chrono::steady_clock::now();
      for (const auto& exchange : pipeline.in_flight.expired(now)) {
        exchange->expire();
      }
      refusals.tell_suppressed(now);
      lock.lock();
    }
  }

  prometheus::Family<prometheus::Counter>& requests;
  prometheus::Family<prometheus::Histogram>& seconds;
  std::vector<std::unique_ptr<RouteMetrics>> route_metrics;
  detail::Refusals refusals;
  detail::Pipeline pipeline;
  std::mutex mutex;
  std::condition_variable wake;
  bool ending = false;
  std::thread keeper;
};

Router::Router(telemetry::Logger& log, telemetry::Metrics& metrics, RouterOptions options)
    : impl_(std::make_unique<Impl>(log, metrics, std::move(options))) {}

Router::~Router() = default;

Status Router::add(Route route) {
  if (auto status = check(route); !status) {
    return status;
  }
  route.metrics = impl_->metrics_for(route.path, route.method);
  route.metrics->show();
  if (route.method == "GET") {
    route.head_metrics = impl_->metrics_for(route.path, "HEAD");
  }
  return impl_->pipeline.table.add(std::move(route));
}

void Router::set_ports(const GatePorts& ports) {
  impl_->pipeline.ports = ports;
}

Plan Router::plan(std::string_view method, std::string_view target) noexcept {
  const Route* route = impl_->pipeline.table.find(method, target.substr(0, target.find('?')));
  if (route == nullptr || !route->unprovisioned_code.empty()) {
    return {0, Lane::kFast};
  }
  const bool fast = route->builtin != nullptr || (route->flags & PX_ROUTE_FAST) != 0;
  return {route->body_limit, fast ? Lane::kFast : Lane::kBlocking};
}

void Router::handle(Request request, std::shared_ptr<Reply> reply) noexcept {
  try {
    const auto exchange =
        std::make_shared<detail::Exchange>(impl_->pipeline, std::move(request), reply);
    exchange->begin();
  } catch (...) {
    impl_->pipeline.log.error("http.pipeline_threw");
    reply->send(bare_failure());
  }
}

Response Router::refused(const Refusal& refusal, std::string_view peer) noexcept {
  try {
    return impl_->refusals.answer(refusal, peer, std::chrono::steady_clock::now());
  } catch (...) {
    return {refusal.status, "", "", {}};  // out of memory: what is left is the status
  }
}

std::size_t Router::unanswered() const {
  return impl_->pipeline.in_flight.size();
}

}  // namespace plexsphere::host::http
