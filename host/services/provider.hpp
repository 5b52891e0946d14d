// How a part of the host offers a px.* service to plugins.
//
// The runtime holds a list of providers. When a plugin asks get_service("px.store/1") the runtime
// finds the provider of that name and asks it for the table it grants to that plugin. A service
// that is not linked into a process (the signer has no px.store) is simply not in the list, and the
// plugin gets null.
//
// Thread safety: table_for and every hook are called from the runtime's main thread, one at a time.
// The functions inside a table are called from any thread; each says so in the ABI header.
// Ownership: the runtime owns the provider; the provider owns its tables for the life of the
// process, because a plugin keeps the pointer and plugins are never unloaded.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "host/base/result.hpp"
#include "host/config/manifest.hpp"
#include "host/config/settings.hpp"
#include "plexsphere/abi/base.h"

namespace plexsphere::host {

namespace telemetry {
class Logger;
class Metrics;
}  // namespace telemetry
namespace health {
class Registry;
}

// What every provider may use. Outlives all providers.
struct HostContext {
  telemetry::Logger& log;
  telemetry::Metrics& metrics;
  health::Registry& health;
  std::string service;  // "plexsphere" or "plexsphere-signer"
};

// One loaded plugin, as a provider sees it. Outlives every table made for it; its address
// identifies the plugin for the life of the process.
struct PluginContext {
  const config::Manifest& manifest;
  const config::Settings& settings;  // its [context.<id>] values, checked, defaults applied
};

class ServiceProvider {
 public:
  ServiceProvider() = default;
  ServiceProvider(const ServiceProvider&) = delete;
  ServiceProvider& operator=(const ServiceProvider&) = delete;
  virtual ~ServiceProvider() = default;

  // Name and revision as plugins ask for it, e.g. "px.store/1". Constant.
  virtual std::string_view name() const noexcept = 0;

  // The service's C table for this plugin, the same pointer each time it is asked for the same
  // plugin; null if the manifest's capabilities do not grant it.
  virtual const px_table* table_for(const PluginContext& plugin) = 0;

  // Hooks, in this order. [init] unless said otherwise.
  //
  // Before any plugin is created, in list order. A failure stops the process with exit 1, so an
  // unreachable database is not a failure here: it shows in readiness instead.
  virtual Status prepare() { return {}; }
  // After this plugin's configure returned well: what it declared (statements, jobs,
  // subscriptions) is complete. A failure here fails the plugin as if configure had failed.
  virtual Status configured(const PluginContext&) { return {}; }
  // This plugin is about to be stopped and destroyed, because it failed to configure or start, or
  // because the process ends: forget every callback it registered, wait for those that run, and
  // call none of them once this returns.
  virtual void withdrawn(const PluginContext&) noexcept {}
  // Every plugin was started or has failed; periodic work may begin. The listener opens next.
  virtual void started() {}
  // Readiness has flipped, in-flight requests have finished. Stop beginning periodic work and wait
  // for what runs; plugins drain next and may still use the service until `stopped`. Return by
  // `deadline`.
  virtual void draining(std::chrono::steady_clock::time_point deadline) { (void)deadline; }
  // Every plugin was stopped and destroyed. Release connections and threads. Reverse list order.
  virtual void stopped() {}
};

using ServiceProviders = std::vector<std::unique_ptr<ServiceProvider>>;

}  // namespace plexsphere::host
