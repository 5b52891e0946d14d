#include "http/meta_routes.hpp"

#include <nlohmann/json.hpp>

#include "http/api_description.hpp"
#include "http/plugin_list.hpp"
#include "plexsphere/sdk/problems.hpp"

namespace plexsphere::meta {
namespace {

using Json = nlohmann::ordered_json;

HealthState state_of(px_health_state state) {
  switch (state) {
    case PX_HEALTH_OK:
      return HealthState::ok;
    case PX_HEALTH_DEGRADED:
      return HealthState::degraded;
    default:
      return HealthState::down;
  }
}

HealthReport probe(const sdk::Health& health) {
  std::vector<sdk::HealthCheck> checks;
  HealthReport report;
  report.rollup = state_of(health.snapshot(checks));
  for (sdk::HealthCheck& check : checks) {
    report.checks.push_back({std::move(check.name), state_of(check.state)});
  }
  return report;
}

// Fragments of plugins that run, or are to run once start-up is through.
std::vector<ApiFragment> fragments_of(const sdk::Info& info) {
  std::vector<ApiFragment> out;
  for (sdk::PluginInfo& plugin : info.plugins()) {
    const bool off = plugin.state == PX_PLUGIN_REJECTED || plugin.state == PX_PLUGIN_DISABLED ||
                     plugin.state == PX_PLUGIN_FAILED;
    if (!off && !plugin.openapi.empty()) {
      out.push_back({std::move(plugin.id), std::move(plugin.openapi)});
    }
  }
  return out;
}

sdk::Route public_route(std::string_view path) {
  sdk::Route route;
  route.method = "GET";
  route.path = path;
  route.auth = PX_AUTH_NONE;
  return route;
}

// Not public: reasons name files and settings of this installation.
sdk::Route plugins_route() {
  sdk::Route route;
  route.method = "GET";
  route.path = "/v1/admin/plugins";
  route.permission = "read";
  route.object_type = "platform";
  return route;
}

}  // namespace

std::string health_json(const HealthReport& report) {
  Json checks = Json::array();
  for (const DependencyHealth& check : report.checks) {
    checks.push_back({{"name", check.name},
                      {"status", text_of(check.state)},
                      {"detail", detail_of(check.state)}});
  }
  return Json{{"status", text_of(report.rollup)}, {"checks", std::move(checks)}}.dump();
}

std::string version_json(std::string_view version, std::string_view commit, std::string_view date) {
  return Json{{"version", version}, {"commit", commit}, {"date", date}}.dump();
}

MetaRoutes::MetaRoutes(sdk::Info info, sdk::Health health, sdk::Clock clock, sdk::Log log)
    : info_(info),
      log_(log),
      health_([health] { return probe(health); }, [clock] { return clock.steady(); }) {}

sdk::Status MetaRoutes::add(const sdk::Router& router) {
  auto done = router.add(public_route("/v1/health"), [this](const auto&) { return get_health(); });
  if (done.ok()) {
    sdk::Route version = public_route("/v1/version");
    version.flags = PX_ROUTE_FAST;
    done = router.add(version, [this](const auto&) { return get_version(); });
  }
  if (done.ok()) {
    done =
        router.add(public_route("/v1/openapi.json"), [this](const auto&) { return get_openapi(); });
  }
  if (done.ok()) {
    done = router.add(plugins_route(), [this](const auto&) { return get_plugins(); });
  }
  return done;
}

sdk::Status MetaRoutes::check_fragments() const {
  const auto merged = merge_api(fragments_of(info_), info_.version());
  if (!merged.ok()) {
    return merged.error();
  }
  for (const std::string& reference : merged->dangling) {
    log_.warn("openapi_reference_dangling", {{"reference", reference}});
  }
  return {};
}

sdk::Answer MetaRoutes::get_health() {
  const auto report = health_.current();
  return sdk::Response::json(http_status_of(report.rollup), health_json(report));
}

sdk::Answer MetaRoutes::get_version() const {
  return sdk::Response::json(200,
                             version_json(info_.version(), info_.commit(), info_.build_date()));
}

sdk::Answer MetaRoutes::get_openapi() {
  const std::lock_guard lock(mutex_);
  if (document_.empty()) {
    auto merged = merge_api(fragments_of(info_), info_.version());
    if (!merged.ok()) {
      log_.error("openapi_not_merged",
                 {{"reason", merged.error().reason}, {"detail", merged.error().detail}});
      return sdk::internal_problem();
    }
    document_ = std::move(merged->json);
  }
  return sdk::Response::json(200, document_);
}

sdk::Answer MetaRoutes::get_plugins() const {
  return sdk::Response::json(200, plugin_list_json(info_.plugins()));
}

}  // namespace plexsphere::meta
