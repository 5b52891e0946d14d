// One run of the process, from checked configuration to exit code. Internal to host/apps.
#pragma once

#include <memory>
#include <stop_token>

#include "host/apps/runtime/app.hpp"
#include "host/apps/runtime/engine_metrics.hpp"
#include "host/apps/runtime/readiness.hpp"
#include "host/apps/runtime/tls_keeper.hpp"
#include "host/health/registry.hpp"
#include "host/http/engine.hpp"
#include "host/http/pipeline/router.hpp"
#include "host/http/stream/hub.hpp"
#include "host/loader/plugin_manager.hpp"
#include "host/services/plugin_states.hpp"
#include "host/services/router.hpp"
#include "host/telemetry/log.hpp"
#include "host/telemetry/metrics.hpp"

namespace plexsphere::host::apps {

class Runtime {
 public:
  // All arguments must outlive it.
  Runtime(const Profile& profile, const Config& config, const config::Configuration& configuration,
          telemetry::Logger& log);
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;
  ~Runtime();

  int run(std::stop_token stop);

 private:
  Status bring_up();
  Status load_certificate();
  Status make_services();
  Status mount_routes();
  Status open_engine();
  void fit_descriptors(http::EngineOptions& options);
  Status write_address();
  void refresh_metrics();
  void drain_streams(std::chrono::steady_clock::time_point deadline);
  void close_engine();
  void shut_plugins();
  int drain();
  Status failed(const config::Issues& issues);

  const Profile& profile_;
  const Config& config_;
  const config::Configuration& configuration_;
  telemetry::Logger& log_;
  telemetry::Metrics metrics_;
  health::Registry health_;
  Readiness readiness_;
  EngineMetrics engine_metrics_;
  TlsKeeper tls_;
  std::unique_ptr<http::StreamHub> hub_;  // null where px.stream is not offered
  HostContext host_;
  PluginStates states_;
  ServiceProviders providers_;
  services::RouterService* router_service_ = nullptr;  // among providers_
  loader::PluginManager plugins_;
  http::Router router_;
  std::unique_ptr<http::Engine> engine_;
};

// The part of --check-config that concerns plugins. Texts with cause and remedy.
std::vector<std::string> check_plugins(const Profile& profile,
                                       const config::Configuration& configuration,
                                       telemetry::Logger& log);

}  // namespace plexsphere::host::apps
