#include "host/apps/runtime/endpoints.hpp"

namespace plexsphere::host::apps {
namespace {

constexpr const char* kJson = "application/json";

http::Route get(const char* path, std::function<http::Response(const http::Request&)> answer) {
  http::Route route;
  route.owner = "host";
  route.method = "GET";
  route.path = path;
  route.builtin = std::move(answer);
  return route;
}

}  // namespace

std::vector<http::Route> host_routes(health::Registry& health, telemetry::Metrics& metrics,
                                     std::function<const http::Engine*()> engine) {
  auto& in_flight = metrics.gauge("plexsphere_http_in_flight", "Requests under way.").Add({});
  auto& refused = metrics
                      .gauge("plexsphere_http_connections_refused",
                             "Connections closed because too many waited for a worker.")
                      .Add({});
  return {
      get("/livez",
          [](const http::Request&) {
            return http::Response{200, kJson, R"({"status":"ok"})", {}};
          }),
      get("/readyz",
          [&health](const http::Request&) {
            const auto report = health.check();
            return http::Response{report.ready() ? 200 : 503, kJson, health::to_json(report), {}};
          }),
      get("/metrics",
          [&metrics, &in_flight, &refused, engine = std::move(engine)](const http::Request&) {
            if (const http::Engine* running = engine()) {
              in_flight.Set(static_cast<double>(running->in_flight()));
              refused.Set(static_cast<double>(running->refused()));
            }
            return http::Response{200, telemetry::Metrics::content_type(), metrics.render(), {}};
          })};
}

}  // namespace plexsphere::host::apps
