#include "host/apps/runtime/endpoints.hpp"

namespace plexsphere::host::apps {
namespace {

constexpr const char* kJson = "application/json";

http::Route get(const char* path, std::function<http::Response(const http::Request&)> answer) {
  http::Route route;
  route.owner = "host";
  route.method = "GET";
  route.path = path;
  // None of them waits; a probe of the process must not queue behind its work.
  route.flags = PX_ROUTE_FAST;
  route.builtin = std::move(answer);
  return route;
}

}  // namespace

std::vector<http::Route> host_routes(const Readiness& readiness, telemetry::Metrics& metrics,
                                     std::function<void()> refresh) {
  return {
      get("/livez",
          [](const http::Request&) {
            return http::Response{200, kJson, R"({"status":"ok"})", {}};
          }),
      get("/readyz",
          [&readiness](const http::Request&) {
            const auto report = readiness.report();
            return http::Response{report.ready() ? 200 : 503, kJson, health::to_json(report), {}};
          }),
      get("/metrics", [&metrics, refresh = std::move(refresh)](const http::Request&) {
        refresh();
        return http::Response{200, telemetry::Metrics::content_type(), metrics.render(), {}};
      })};
}

}  // namespace plexsphere::host::apps
