#include "host/services/router.hpp"

#include "host/base/error_capture.hpp"
#include "host/services/table_map.hpp"

namespace plexsphere::host::services {
namespace {

constexpr std::size_t kMostRoutes = 512;  // a plugin

std::string or_default(px_str given, const std::string& otherwise) {
  return given.len == 0 ? otherwise : text(given);
}

struct RouterTable {
  explicit RouterTable(std::string plugin)
      : wire{{sizeof(px_router), 1, this}, &RouterTable::add}, id(std::move(plugin)) {}

  static px_status add(void* self, const px_route* route, px_error* err) noexcept {
    try {
      return static_cast<RouterTable*>(self)->add_route(*route, err);
    } catch (...) {
      return report(err, PX_INTERNAL, "internal", "the route could not be registered");
    }
  }

  px_status add_route(const px_route& in, px_error* err) {
    if (!PX_HAS(&in, px_route, handle) || in.handle == nullptr) {
      return report(err, PX_INVALID_ARGUMENT, "bad_route", "a route needs a handler");
    }
    if (routes.size() >= kMostRoutes) {
      return report(err, PX_RESOURCE_EXHAUSTED, "too_many_routes", "a plugin may have 512 routes");
    }
    http::Route route;
    route.owner = id;
    route.flags = in.flags;
    route.method = text(in.method);
    route.path = text(in.path);
    route.auth = in.auth;
    route.denied_as = in.denied_as == 0 ? 403 : in.denied_as;
    route.node_parameter = text(in.node_parameter);
    route.permission = text(in.permission);
    route.object_type = text(in.object_type);
    route.object_parameter = text(in.object_parameter);
    route.not_found_code = or_default(in.not_found_code, route.not_found_code);
    route.bad_id_code = or_default(in.bad_id_code, route.bad_id_code);
    route.too_large_code = or_default(in.too_large_code, route.too_large_code);
    route.body_limit = in.body_limit == 0 ? http::kDefaultBodyLimit : in.body_limit;
    if (PX_HAS(&in, px_route, decoded_limit)) {
      route.decoded_limit = in.decoded_limit;
    }
    if (PX_HAS(&in, px_route, denied_code)) {
      route.denied_code = or_default(in.denied_code, route.denied_code);
    }
    route.handle = in.handle;
    route.ctx = in.ctx;
    routes.push_back(std::move(route));
    return PX_OK;
  }

  px_router wire;
  std::string id;
  std::vector<http::Route> routes;
};

class Service final : public RouterService {
 public:
  std::string_view name() const noexcept override { return "px.router/1"; }
  const px_table* table_for(const PluginContext& plugin) override {
    return plugin.manifest.capabilities.routes
               ? as_table(tables_.get(plugin, plugin.manifest.id).wire)
               : nullptr;
  }
  std::vector<http::Route> routes_of(const PluginContext& plugin) override {
    const RouterTable* table = tables_.find(plugin);
    return table == nullptr ? std::vector<http::Route>() : table->routes;
  }

 private:
  TableMap<RouterTable> tables_;
};

}  // namespace

std::unique_ptr<RouterService> make_router_service() {
  return std::make_unique<Service>();
}

}  // namespace plexsphere::host::services
