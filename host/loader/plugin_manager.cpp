#include "host/loader/plugin_manager.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "host/health/registry.hpp"
#include "host/loader/admission.hpp"
#include "host/loader/dependency_order.hpp"
#include "host/loader/loaded_plugin.hpp"
#include "host/loader/route_check.hpp"
#include "host/telemetry/log.hpp"
#include "host/telemetry/metrics.hpp"

namespace plexsphere::host::loader {
namespace {

using Names = std::vector<std::string>;

bool contains(const Names& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

struct Port {
  const px_table* table = nullptr;
  LoadedPlugin* provider = nullptr;
};

}  // namespace

struct PluginManager::Impl {
  Impl(ManagerOptions given, HostContext& context, PluginStates& records)
      : options(std::move(given)), host(context), states(records) {}

  ManagerOptions options;
  HostContext& host;
  PluginStates& states;
  Inventory inventory;
  ServiceProviders* providers = nullptr;
  services::RouterService* routes = nullptr;
  std::vector<std::unique_ptr<LoadedPlugin>> plugins;  // in order of start
  std::set<const LoadedPlugin*> running;
  std::map<std::string, Port, std::less<>> ports;
  std::map<const LoadedPlugin*, std::set<const LoadedPlugin*>> uses;  // whose ports it obtained
  Names trouble;                                                      // texts of what failed

  void note(const std::string& id, PluginState state, const std::string& reason = {}) {
    states.set(id, state, reason);
    auto& gauge = host.metrics.gauge("plexsphere_plugin_state", "1 for the state a plugin is in.");
    for (const PluginState each : kAllPluginStates) {
      gauge.Add({{"plugin", id}, {"state", plugin_state_name(each)}}).Set(each == state ? 1 : 0);
    }
  }

  void refuse(const std::string& id, const std::string& reason, const std::string& text,
              bool enabled) {
    note(id, PluginState::kRejected, text);
    host.log.write(enabled ? telemetry::Level::kError : telemetry::Level::kWarn, "plugin.refused",
                   {{"plugin", id}, {"reason", reason}, {"detail", text}});
    if (enabled) {
      trouble.push_back(text);
    }
  }

  Order order(const Names& host_services) const {
    std::vector<const config::Manifest*> enabled;
    std::vector<const config::Manifest*> installed;
    for (const auto& found : inventory.plugins) {
      if (found.rejection.empty()) {
        installed.push_back(&found.manifest);
        if (found.enabled) {
          enabled.push_back(&found.manifest);
        }
      }
    }
    return dependency_order(enabled, installed, host_services);
  }

  const Found& found(const std::string& id) const {
    return *std::find_if(inventory.plugins.begin(), inventory.plugins.end(),
                         [&id](const Found& each) { return each.id == id; });
  }

  // --- what plugins ask for -------------------------------------------------------------------

  const px_table* get_service(LoadedPlugin& plugin, std::string_view name) {
    for (const auto& provider : *providers) {
      if (provider->name() == name) {
        return provider->table_for(plugin.context());
      }
    }
    const auto& manifest = plugin.manifest();
    const auto port = ports.find(name);
    if (port == ports.end() ||
        !(contains(manifest.required_ports, name) || contains(manifest.wanted_ports, name))) {
      return nullptr;
    }
    uses[&plugin].insert(port->second.provider);
    return port->second.table;
  }

  Status provide(LoadedPlugin& plugin, std::string_view name, const px_table* table) {
    const std::string port(name);
    if (!contains(plugin.manifest().provided_ports, name)) {
      return {Code::kPermissionDenied,
              "plugin.toml of '" + plugin.id() + "' does not list '" + port + "' under provides"};
    }
    const auto revision = port.substr(port.rfind('/') + 1);
    if (table == nullptr || table->struct_size < sizeof(px_table) ||
        std::to_string(table->revision) != revision) {
      return {Code::kInvalidArgument, "the table of '" + port + "' has no head of that revision"};
    }
    if (!ports.emplace(port, Port{table, &plugin}).second) {
      return {Code::kAlreadyExists, "'" + port + "' is already provided"};
    }
    return {};
  }

  // --- bringing up ----------------------------------------------------------------------------

  bool load(const config::Manifest& manifest) {
    auto admission = admit(options.inventory.directory, manifest, options.inventory.trusted_owner);
    if (admission.plugin == nullptr) {
      refuse(manifest.id, admission.refusal.reason, admission.refusal.text, true);
      return false;
    }
    plugins.push_back(std::make_unique<LoadedPlugin>(
        manifest, found(manifest.id).settings,
        LoadedPlugin::Lender{
            [this](LoadedPlugin& plugin, std::string_view name) {
              return get_service(plugin, name);
            },
            [this](LoadedPlugin& plugin, std::string_view name, const px_table* table) {
              return provide(plugin, name, table);
            }}));
    plugins.back()->set_code(admission.plugin);
    return true;
  }

  Status configure(LoadedPlugin& plugin) {
    for (const auto& port : plugin.manifest().required_ports) {
      const bool of_host = std::any_of(providers->begin(), providers->end(),
                                       [&port](const auto& each) { return each->name() == port; });
      if (!of_host && ports.count(port) == 0) {
        return {Code::kUnavailable, "plugin '" + plugin.id() + "' cannot run: port '" + port +
                                        "' is missing because its provider failed"};
      }
    }
    Status status = plugin.validate();
    if (status) {
      status = plugin.create();
    }
    if (status) {
      status = plugin.configure();
    }
    if (status) {
      status = check_promises(plugin);
    }
    for (auto provider = providers->begin(); status && provider != providers->end(); ++provider) {
      status = (*provider)->configured(plugin.context());
    }
    return status;
  }

  // What the manifest announces must be what configure did.
  Status check_promises(const LoadedPlugin& plugin) const {
    for (const auto& port : plugin.manifest().provided_ports) {
      const auto provided = ports.find(port);
      if (provided == ports.end() || provided->second.provider != &plugin) {
        return {Code::kFailedPrecondition,
                "plugin '" + plugin.id() + "' did not provide '" + port +
                    "': provide it in configure, or take it out of plugin.toml"};
      }
    }
    return check_routes(plugin.manifest(), routes->routes_of(plugin.context()));
  }

  void fail(LoadedPlugin& plugin, const std::string& why) {
    host.log.error("plugin.failed", {{"plugin", plugin.id()}, {"detail", why}});
    note(plugin.id(), PluginState::kFailed, why);
    trouble.push_back(why);
    for (auto dependent = plugins.rbegin(); dependent != plugins.rend(); ++dependent) {
      if (running.count(dependent->get()) != 0 && uses[dependent->get()].count(&plugin) != 0) {
        fail(**dependent, "plugin '" + (*dependent)->id() + "' cannot run: it uses a port of '" +
                              plugin.id() + "', which failed");
      }
    }
    end(plugin);
  }

  void end(LoadedPlugin& plugin) {
    running.erase(&plugin);
    if (plugin.created()) {
      for (const auto& provider : *providers) {
        provider->withdrawn(plugin.context());
      }
    }
    for (auto port = ports.begin(); port != ports.end();) {
      port = port->second.provider == &plugin ? ports.erase(port) : std::next(port);
    }
    plugin.end();
  }

  Status essential_outcome() const {
    for (const auto& record : states.all()) {
      const bool down =
          record.state == PluginState::kFailed || record.state == PluginState::kRejected;
      if (down && contains(options.essential, record.id) && found(record.id).enabled) {
        return {Code::kFailedPrecondition,
                "essential plugin '" + record.id + "' does not run: " + record.reason};
      }
    }
    return {};
  }
};

PluginManager::PluginManager(ManagerOptions options, HostContext& host, PluginStates& states)
    : impl_(std::make_unique<Impl>(std::move(options), host, states)) {}

PluginManager::~PluginManager() {
  stop();
}

config::Issues PluginManager::discover(const config::Configuration& configuration) {
  impl_->inventory = take_inventory(impl_->options.inventory, configuration);
  for (const auto& found : impl_->inventory.plugins) {
    impl_->states.put(
        {found.id, found.manifest.version, PluginState::kDiscovered, "", found.openapi});
    if (!found.rejection.empty()) {
      impl_->refuse(found.id, found.allowed ? "bad_manifest" : "not_allowed", found.rejection,
                    found.enabled && found.allowed);
    } else if (!found.enabled) {
      impl_->note(found.id, PluginState::kDisabled);
    }
  }
  return impl_->inventory.issues;
}

Names PluginManager::validate(const Names& host_services) {
  const Order order = impl_->order(host_services);
  Names problems = order.errors;
  for (const auto* manifest : order.sequence) {
    if (impl_->load(*manifest)) {
      if (const Status status = impl_->plugins.back()->validate(); !status) {
        problems.push_back(status.message());
      }
    }
  }
  problems.insert(problems.end(), impl_->trouble.begin(), impl_->trouble.end());
  return problems;
}

Status PluginManager::start(ServiceProviders& providers, services::RouterService& routes) {
  impl_->providers = &providers;
  impl_->routes = &routes;
  Names host_services;
  for (const auto& provider : providers) {
    host_services.emplace_back(provider->name());
  }
  const Order order = impl_->order(host_services);
  if (!order.errors.empty()) {
    std::string text;
    for (const auto& error : order.errors) {
      text += (text.empty() ? "" : "; ") + error;
    }
    return {Code::kFailedPrecondition, text};
  }
  Names ids;
  for (const auto* manifest : order.sequence) {
    ids.push_back(manifest->id);
  }
  impl_->states.order(ids);
  for (const auto* manifest : order.sequence) {
    if (!impl_->load(*manifest)) {
      continue;
    }
    LoadedPlugin& plugin = *impl_->plugins.back();
    if (const Status status = impl_->configure(plugin); !status) {
      impl_->fail(plugin, status.message());
    } else {
      impl_->running.insert(&plugin);
    }
  }
  for (const auto& plugin : impl_->plugins) {
    if (impl_->running.count(plugin.get()) == 0) {
      continue;
    }
    if (const Status status = plugin->start(); !status) {
      impl_->fail(*plugin, status.message());
    } else {
      impl_->note(plugin->id(), PluginState::kRunning);
      impl_->host.log.info("plugin.running",
                           {{"plugin", plugin->id()}, {"version", plugin->manifest().version}});
    }
  }
  if (!impl_->trouble.empty()) {
    std::string text;
    for (const auto& one : impl_->trouble) {
      text += (text.empty() ? "" : "; ") + one;
    }
    (void)impl_->host.health.add("plugins",
                                 [text] {
                                   return health::Outcome{health::State::kDegraded, text};
                                 },
                                 {.kind = health::Kind::kInformational});
  }
  return impl_->essential_outcome();
}

Status PluginManager::mount(http::Router& router) const {
  std::set<std::string> mounted;
  for (const auto& plugin : impl_->plugins) {
    if (impl_->running.count(plugin.get()) == 0) {
      continue;
    }
    mounted.insert(plugin->id());
    for (auto& route : impl_->routes->routes_of(plugin->context())) {
      if (auto status = router.add(std::move(route)); !status) {
        return status;
      }
    }
    for (auto& route : unprovisioned_routes(plugin->manifest(), false)) {
      if (auto status = router.add(std::move(route)); !status) {
        return status;
      }
    }
  }
  for (const auto& found : impl_->inventory.plugins) {
    if (!found.rejection.empty() || mounted.count(found.id) != 0) {
      continue;
    }
    for (auto& route : unprovisioned_routes(found.manifest, true)) {
      if (const auto status = router.add(std::move(route)); !status) {
        // Another plugin serves it; that is what installing a replacement looks like.
        impl_->host.log.info("plugin.route_taken",
                             {{"plugin", found.id}, {"detail", status.message()}});
      }
    }
  }
  return {};
}

const px_table* PluginManager::port(const std::string& name) const {
  const auto found = impl_->ports.find(name);
  return found == impl_->ports.end() ? nullptr : found->second.table;
}

void PluginManager::drain(std::chrono::steady_clock::time_point deadline) {
  for (auto plugin = impl_->plugins.rbegin(); plugin != impl_->plugins.rend(); ++plugin) {
    if (impl_->running.count(plugin->get()) == 0) {
      continue;
    }
    impl_->note((*plugin)->id(), PluginState::kDraining);
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    const auto status = (*plugin)->drain(std::max(left, std::chrono::milliseconds(0)));
    if (!status) {
      impl_->host.log.error("plugin.drain_failed",
                            {{"plugin", (*plugin)->id()}, {"detail", status.message()}});
    }
  }
}

void PluginManager::stop() {
  for (auto plugin = impl_->plugins.rbegin(); plugin != impl_->plugins.rend(); ++plugin) {
    if ((*plugin)->created()) {
      impl_->end(**plugin);
    }
  }
}

}  // namespace plexsphere::host::loader
