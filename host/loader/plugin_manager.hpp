// Runs the enabled plugins: loads, orders, configures, starts, mounts, drains, stops.
//
// A plugin that fails takes with it those that depend on it. An essential one fails the start; any
// other leaves 501s in place of its routes, a metric and an informational probe. What became of
// each is in PluginStates.
//
// Thread safety: main thread only, but for what plugins call back (see px_host).
// Ownership: owns the plugins' instances; `host` and the providers must outlive stop().
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "host/base/result.hpp"
#include "host/http/pipeline/router.hpp"
#include "host/loader/inventory.hpp"
#include "host/services/plugin_states.hpp"
#include "host/services/provider.hpp"
#include "host/services/router.hpp"

namespace plexsphere::host::loader {

struct ManagerOptions {
  InventoryOptions inventory;
  std::vector<std::string> essential;
};

class PluginManager {
 public:
  PluginManager(ManagerOptions options, HostContext& host, PluginStates& states);
  PluginManager(const PluginManager&) = delete;
  PluginManager& operator=(const PluginManager&) = delete;
  ~PluginManager();

  // Reads the manifests and checks every context's settings against them. Loads nothing.
  config::Issues discover(const config::Configuration& configuration);

  // After discover: orders and loads the enabled plugins and lets each judge its configuration;
  // creates none. What --check-config runs. Texts with cause and remedy; empty: good.
  std::vector<std::string> validate(const std::vector<std::string>& host_services);

  // After discover: brings up every enabled plugin. Fails for a missing port, a cycle, or a failed
  // essential plugin; call stop() then as after a success. `routes` is among `providers`.
  Status start(ServiceProviders& providers, services::RouterService& routes);

  // After start: the routes of running plugins, and 501s in place of the others'.
  Status mount(http::Router& router) const;

  // The port's table if a running plugin provides it, else null.
  const px_table* port(const std::string& name) const;

  // Drains in reverse order of start; what is left of the time to `deadline` goes to each.
  void drain(std::chrono::steady_clock::time_point deadline);
  // Stops and destroys in reverse order of start. Idempotent.
  void stop();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace plexsphere::host::loader
