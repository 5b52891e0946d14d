// A host around a plugin directory of a test's own: everything but flags and signals.
#pragma once

#include <memory>
#include <string>

#include "host/config/configuration.hpp"
#include "host/health/registry.hpp"
#include "host/http/engine.hpp"
#include "host/http/pipeline/router.hpp"
#include "host/http/stream/hub.hpp"
#include "host/loader/plugin_manager.hpp"
#include "host/services/plugin_states.hpp"
#include "host/services/router.hpp"
#include "host/telemetry/log.hpp"
#include "host/telemetry/metrics.hpp"
#include "support/http_client.hpp"
#include "support/log_text.hpp"
#include "support/temp_dir.hpp"

namespace plexsphere::host::loader {

class Rig {
 public:
  Rig();
  ~Rig();

  std::filesystem::path plugins() const { return directory_.path() / "plugins"; }
  // Copies a built test plugin into the plugin directory. Without a manifest of its own it gets a
  // minimal one for its id, followed by `more`.
  void install(const std::string& id, const std::string& more = "");
  // A plugin directory with a manifest and no code.
  void install_manifest(const std::string& id, const std::string& more = "");

  // Reads the configuration and the manifests. Issues as text lines.
  std::string discover(const std::string& configuration,
                       const std::vector<std::string>& essential = {},
                       const std::vector<std::string>& allowed = {});
  // After discover: brings the plugins up and serves. Ports of the gate are left out.
  Status start(http::RouterOptions options = {});
  // discover and start with these contexts enabled.
  Status run(const std::vector<std::string>& ids, const std::vector<std::string>& essential = {});

  test_support::HttpResponse get(const std::string& path) { return call("GET", path); }
  test_support::HttpResponse call(const std::string& method, const std::string& path,
                                  const std::string& body = "");

  // "rejected: the reason", "running: ".
  std::string state_of(const std::string& id) const;
  const test_support::LogText& log() const { return log_text_; }
  PluginManager& manager() { return *manager_; }
  health::Registry& health() { return health_; }
  telemetry::Metrics& metrics() { return metrics_; }

 private:
  test_support::TempDir directory_;
  test_support::LogText log_text_;
  telemetry::Logger log_;
  telemetry::Metrics metrics_;
  health::Registry health_;
  HostContext host_;
  PluginStates states_;
  config::Configuration configuration_;
  std::unique_ptr<http::StreamHub> hub_;
  ServiceProviders providers_;
  std::unique_ptr<PluginManager> manager_;
  std::unique_ptr<http::Router> router_;
  std::unique_ptr<http::Engine> engine_;
};

}  // namespace plexsphere::host::loader
