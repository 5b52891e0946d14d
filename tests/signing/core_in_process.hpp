// The core without its listener: the host's services and every plugin, in this process, so that a
// test can hold a port as a context would.
//
// Main thread only. Owns the host; `deployment` outlives it.
#pragma once

#include <catch2/catch.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "e2e/deployment.hpp"
#include "host/apps/plexsphere/app.hpp"
#include "host/apps/runtime/host_config.hpp"
#include "host/health/registry.hpp"
#include "host/loader/plugin_manager.hpp"
#include "host/services/clock.hpp"
#include "host/services/config.hpp"
#include "host/services/health.hpp"
#include "host/services/info.hpp"
#include "host/services/log.hpp"
#include "host/services/metrics.hpp"
#include "host/services/plugin_states.hpp"
#include "host/services/router.hpp"
#include "host/telemetry/log.hpp"
#include "host/telemetry/metrics.hpp"

namespace plexsphere::e2e {

class CoreInProcess {
 public:
  // `overrides`: TOML that wins over the deployment's configuration.
  CoreInProcess(Deployment& deployment, const std::string& overrides)
      : configuration_(load(deployment, overrides)),
        plugins_(host::apps::manager_options(configuration_, {}), host_, states_) {
    REQUIRE(plugins_.discover(configuration_).empty());
    make_services();
    const auto started = plugins_.start(providers_, *router_);
    INFO(started.message());
    REQUIRE(started.ok());
    for (const auto& provider : providers_) {
      provider->started();
    }
  }
  ~CoreInProcess() { stop(); }
  CoreInProcess(const CoreInProcess&) = delete;
  CoreInProcess& operator=(const CoreInProcess&) = delete;

  const px_table* port(const std::string& name) const { return plugins_.port(name); }

  // As at SIGTERM. Repeatable.
  void stop() {
    if (stopped_) {
      return;
    }
    stopped_ = true;
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    for (const auto& provider : providers_) {
      provider->draining(deadline);
    }
    plugins_.drain(deadline);
    plugins_.stop();
    for (auto provider = providers_.rbegin(); provider != providers_.rend(); ++provider) {
      (*provider)->stopped();
    }
  }

 private:
  static host::config::Configuration load(Deployment& deployment, const std::string& overrides) {
    const auto directory = deployment.directory() / "in-process.d";
    std::filesystem::create_directories(directory);
    std::ofstream(directory / "overrides.toml") << overrides;
    host::config::Sources sources;
    sources.main_required = true;
    sources.main_file = deployment.core_configuration();
    sources.dropin_directory = directory;
    auto sections = host::apps::host_sections(":0", {"audit", "signing_client"});
    for (const auto& section : profile().extension.sections) {
      sections.push_back(section);
    }
    auto loaded = host::config::load(sources, sections);
    REQUIRE(loaded.issues.empty());
    return std::move(loaded.configuration);
  }
  static const host::apps::Profile& profile() {
    static const host::apps::Profile core = host::apps::core_profile();
    return core;
  }

  void make_services() {
    namespace services = host::services;
    providers_.push_back(services::make_log_service(host_));
    providers_.push_back(services::make_metrics_service(host_));
    providers_.push_back(services::make_health_service(host_));
    providers_.push_back(services::make_config_service());
    providers_.push_back(services::make_clock_service());
    providers_.push_back(services::make_info_service(states_));
    auto router = services::make_router_service();
    router_ = router.get();
    providers_.push_back(std::move(router));
    auto more = profile().extension.make(configuration_, host_);
    REQUIRE(more.ok());
    for (auto& provider : *more) {
      providers_.push_back(std::move(provider));
    }
    for (const auto& provider : providers_) {
      REQUIRE(provider->prepare().ok());
    }
  }

  host::telemetry::Logger log_{"plexsphere", host::telemetry::Level::kError};
  host::telemetry::Metrics metrics_;
  host::health::Registry health_;
  host::HostContext host_{log_, metrics_, health_, "plexsphere"};
  host::config::Configuration configuration_;
  host::PluginStates states_;
  host::ServiceProviders providers_;
  host::services::RouterService* router_ = nullptr;  // among providers_
  host::loader::PluginManager plugins_;
  bool stopped_ = false;
};

}  // namespace plexsphere::e2e
