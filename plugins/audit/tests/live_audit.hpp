// The audit plugin at work in the host's own services: px.store, px.seal and the rest over a
// private PostgreSQL, the plugin through its C entry, and a caller, the context "guest".
//
// Only the HTTP engine and the guarding steps are left out: handlers are called as the router would
// call them.
#pragma once

#include <future>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "chain_database.hpp"
#include "host/config/configuration.hpp"
#include "host/health/registry.hpp"
#include "host/loader/loaded_plugin.hpp"
#include "host/services/provider.hpp"
#include "host/services/router.hpp"
#include "host/telemetry/log.hpp"
#include "host/telemetry/metrics.hpp"
#include "plexsphere/sdk/ports/audit.hpp"
#include "plexsphere/sdk/store.hpp"
#include "support/temp_dir.hpp"

namespace plexsphere::audit::test {

// For what another thread does.
inline constexpr std::chrono::seconds kPatience{20};

// What the chains' peppers are sealed under: the same in every process of a test.
inline constexpr const char* kRootKey = "key for these tests and nobody s";

struct Reply {
  int status = 0;
  std::string body;  // of a response
  std::string content_type;
  std::string code;  // of a problem
  std::string detail;
};

class LiveAudit {
 public:
  // One process's worth. Several over one database are replicas. `settings`: TOML of the context.
  // With a table of px.signing/1 the plugin finds that port, and its jobs run.
  explicit LiveAudit(ChainDatabase& database, int pool_size = 16, const std::string& settings = {},
                     const px_table* signing = nullptr);
  ~LiveAudit();
  LiveAudit(const LiveAudit&) = delete;
  LiveAudit& operator=(const LiveAudit&) = delete;

  // Its jobs run from now on.
  void begin_jobs();

  // As the context "guest" sees them.
  const sdk::Store& store() const { return store_; }
  const sdk::Audit& audit() const { return audit_; }

  // Records a decision and waits for the answer.
  std::pair<px_status, std::string> record(const sdk::AuditEntry& entry) const;
  // Begins, stages, commits.
  sdk::Status stage(const std::vector<sdk::AuditEntry>& entries) const;

  using Pairs = std::vector<std::pair<std::string, std::string>>;
  // Calls the handler of "GET /v1/…" with path and query parameters.
  Reply call(const std::string& route, const Pairs& path = {}, const Pairs& query = {},
             const std::string& body = {},
             std::chrono::milliseconds deadline = std::chrono::seconds(30)) const;

  host::health::Report health() { return health_.check(); }
  std::string metrics() const { return metrics_.render(); }
  host::Status drain() { return plugin_->drain(std::chrono::seconds(10)); }
  // Makes the resolver of "domain" know this Domain, and that of "project" the pair.
  void add_domain(const sdk::Uuid& domain);
  void add_project(const std::string& id, const std::vector<sdk::Uuid>& owners);

 private:
  template <typename Wrapper>
  Wrapper service(const host::PluginContext& plugin) const;
  const px_table* table(const host::PluginContext& plugin, std::string_view name) const;
  void make_services(const ChainDatabase& database, int pool_size, const std::string& settings);
  void start_plugin();
  void register_resolvers();

  test_support::TempDir files_;
  host::telemetry::Logger log_;
  host::telemetry::Metrics metrics_;
  host::health::Registry health_;
  host::HostContext host_;
  host::config::Configuration configuration_;
  host::ServiceProviders providers_;
  host::services::RouterService* router_ = nullptr;  // among providers_
  const px_table* port_ = nullptr;
  const px_table* signing_ = nullptr;
  std::unique_ptr<host::loader::LoadedPlugin> plugin_;
  host::config::Manifest guest_manifest_;
  host::config::Settings guest_settings_;
  host::PluginContext guest_{guest_manifest_, guest_settings_};
  sdk::Store store_;
  sdk::Audit audit_;
  mutable std::mutex owners_mutex_;
  std::map<std::string, std::vector<sdk::Uuid>> owners_;  // "domain:<id>", under owners_mutex_
};

// A decision about a project, as the host's gate would tell it.
sdk::AuditEntry decision_on(const std::string& project);
// A change in a Domain.
sdk::AuditEntry change_in(const sdk::Uuid& domain, const std::string& relation = "project.create");

}  // namespace plexsphere::audit::test
