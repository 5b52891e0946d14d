#include "host/loader/route_check.hpp"

#include <set>
#include <string>

namespace plexsphere::host::loader {

Status check_routes(const config::Manifest& manifest, const std::vector<http::Route>& registered) {
  std::set<std::string> listed;
  for (const auto& route : manifest.routes) {
    if (route.provisioned) {
      listed.insert(route.method + " " + route.path);
    }
  }
  std::set<std::string> seen;
  for (const auto& route : registered) {
    const std::string name = route.method + " " + route.path;
    if (listed.count(name) == 0) {
      return {Code::kFailedPrecondition, "plugin '" + manifest.id + "' registered route " + name +
                                             " which its plugin.toml does not list: add it under "
                                             "[[routes]]"};
    }
    if (!seen.insert(name).second) {
      return {Code::kFailedPrecondition,
              "plugin '" + manifest.id + "' registered route " + name + " twice: remove one"};
    }
  }
  for (const auto& name : listed) {
    if (seen.count(name) == 0) {
      return {Code::kFailedPrecondition, "plugin '" + manifest.id + "' did not register route " +
                                             name +
                                             " of its plugin.toml: register it in configure "
                                             "or mark it provisioned = false"};
    }
  }
  return {};
}

std::vector<http::Route> unprovisioned_routes(const config::Manifest& manifest, bool all) {
  std::vector<http::Route> out;
  for (const auto& declared : manifest.routes) {
    if (all || !declared.provisioned) {
      http::Route route;
      route.owner = manifest.id;
      route.method = declared.method;
      route.path = declared.path;
      route.unprovisioned_code = declared.disabled_code;
      out.push_back(std::move(route));
    }
  }
  return out;
}

}  // namespace plexsphere::host::loader
