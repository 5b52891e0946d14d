// px.store/1 as plugins see it, and the probes `database` and `schema`.
//
// Thread safety: as ServiceProvider says. Ownership: owns the tables and the probe's session; the
// Store is the extension's and outlives it.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "host/migration/plan.hpp"
#include "host/persistence/store.hpp"
#include "host/services/provider.hpp"

namespace plexsphere::host {

// The one description of a plugin to the persistence layer.
[[nodiscard]] persistence::Client client_of(const config::Manifest& manifest);

// Writes what the persistence layer has to say to the process's log.
[[nodiscard]] persistence::LogSink log_sink(telemetry::Logger& log);

class StoreProvider : public ServiceProvider {
 public:
  StoreProvider(persistence::Store& store, HostContext& host);
  ~StoreProvider() override;

  std::string_view name() const noexcept override { return "px.store/1"; }
  // Null without the capability "schema".
  const px_table* table_for(const PluginContext& plugin) override;
  // Registers the probes and, when the server answers, checks its connection limit.
  Status prepare() override;
  // Prepares every statement of the plugin on the server. Skipped, with a warning, while the
  // database is away or its schema is behind: readiness says so then.
  Status configured(const PluginContext& plugin) override;
  void stopped() override;

 private:
  struct Table;
  class Probe;

  persistence::Store& store_;
  HostContext& host_;
  std::map<const PluginContext*, std::unique_ptr<Table>> tables_;
  std::shared_ptr<Probe> probe_;  // shared with the health registry's probe threads
};

}  // namespace plexsphere::host
