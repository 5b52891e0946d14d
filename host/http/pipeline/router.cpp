#include "host/http/pipeline/router.hpp"

#include <condition_variable>
#include <mutex>
#include <thread>

#include "host/http/pipeline/exchange.hpp"
#include "host/http/pipeline/route_table.hpp"
#include "host/telemetry/log.hpp"
#include "host/telemetry/metrics.hpp"

namespace plexsphere::host::http {
namespace {

constexpr std::chrono::milliseconds kDeadlineTick{50};

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

}  // namespace

void RouteMetrics::observe(int status, double seconds) {
  seconds_.Observe(seconds);
  auto& slot = by_status_[static_cast<std::size_t>(status) % kStatuses];
  prometheus::Counter* counter = slot.load();
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
        pipeline{logger,
                 std::move(options),
                 {},
                 {},
                 metrics
                     .counter("plexsphere_http_late_completions_total",
                              "Handlers that completed after the deadline.")
                     .Add({}),
                 metrics
                     .counter("plexsphere_http_second_completions_total",
                              "Requests that a handler completed twice.")
                     .Add({}),
                 metrics
                     .counter("plexsphere_http_deadlines_exceeded_total",
                              "Requests answered 503 because their deadline passed.")
                     .Add({})},
        unmatched(unmatched_route()) {
    unmatched.metrics = metrics_for(unmatched.path, "any");
    keeper = std::thread([this] { keep_deadlines(); });
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
    auto& histogram =
        seconds.Add({{"route", path}, {"method", method}}, telemetry::Metrics::latency_buckets());
    route_metrics.push_back(std::make_unique<RouteMetrics>(requests, histogram, path, method));
    return route_metrics.back().get();
  }

  void keep_deadlines() {
    std::unique_lock lock(mutex);
    while (!wake.wait_for(lock, kDeadlineTick, [this] { return ending; })) {
      lock.unlock();
      for (const auto& exchange : pipeline.in_flight.expired(std::chrono::steady_clock::now())) {
        exchange->expire();
      }
      lock.lock();
    }
  }

  prometheus::Family<prometheus::Counter>& requests;
  prometheus::Family<prometheus::Histogram>& seconds;
  std::vector<std::unique_ptr<RouteMetrics>> route_metrics;
  detail::Pipeline pipeline;
  RouteTable table;
  Route unmatched;
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
  return impl_->table.add(std::move(route));
}

void Router::set_ports(const GatePorts& ports) {
  impl_->pipeline.ports = ports;
}

std::size_t Router::body_limit(const RequestHead& head) noexcept {
  try {
    const Match match = impl_->table.match(head.method, head.path());
    return match.route == nullptr ? 0 : match.route->body_limit;
  } catch (...) {
    return 0;
  }
}

void Router::handle(Request request, std::shared_ptr<Reply> reply) noexcept {
  try {
    Match match = impl_->table.match(request.head.method, request.head.path());
    const auto exchange = std::make_shared<detail::Exchange>(
        impl_->pipeline, std::move(request), reply, std::move(match), impl_->unmatched);
    exchange->begin();
  } catch (...) {
    impl_->pipeline.log.error("http.pipeline_threw");
    reply->send(Response{500,
                         "application/problem+json",
                         R"({"type":"https://plexsphere.com/errors/internal","title":"Internal )"
                         R"(Server Error","status":500,"detail":"Something went wrong on our )"
                         R"(side.","instance":"","code":"internal"})",
                         {}});
  }
}

std::size_t Router::unanswered() const {
  return impl_->pipeline.in_flight.size();
}

}  // namespace plexsphere::host::http
