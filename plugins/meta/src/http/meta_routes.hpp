// The public pages (health, version, API description), and the operators' list of plugins.
#pragma once

#include <mutex>
#include <string>

#include "app/health_view.hpp"
#include "plexsphere/sdk/router.hpp"
#include "plexsphere/sdk/services.hpp"

namespace plexsphere::meta {

class MetaRoutes {
 public:
  MetaRoutes(sdk::Info info, sdk::Health health, sdk::Clock clock, sdk::Log log);
  MetaRoutes(const MetaRoutes&) = delete;
  MetaRoutes& operator=(const MetaRoutes&) = delete;

  // [init] The handlers keep this object.
  sdk::Status add(const sdk::Router& router);
  // Whether the fragments of all plugins that are to run fit together. [init]
  sdk::Status check_fragments() const;

  // [worker]
  sdk::Answer get_health();
  sdk::Answer get_version() const;
  sdk::Answer get_openapi();
  sdk::Answer get_plugins() const;

 private:
  sdk::Info info_;
  sdk::Log log_;
  HealthView health_;
  std::mutex mutex_;
  std::string document_;  // made once, at the first request; only under mutex_
};

// HealthStatus and VersionInfo as JSON text.
std::string health_json(const HealthReport& report);
std::string version_json(std::string_view version, std::string_view commit, std::string_view date);

}  // namespace plexsphere::meta
