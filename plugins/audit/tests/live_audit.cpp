#include "live_audit.hpp"

#include <sys/stat.h>

#include <fstream>
#include <iostream>
#include <stdexcept>

#include "host/persistence/extension.hpp"
#include "host/services/clock.hpp"
#include "host/services/config.hpp"
#include "host/services/health.hpp"
#include "host/services/log.hpp"
#include "host/services/metrics.hpp"
#include "plexsphere/abi/plugin.h"

extern "C" const px_plugin* plexsphere_plugin_v1(void);

namespace plexsphere::audit::test {
namespace {

const sdk::Uuid kCaller = *sdk::Uuid::parse("0190a1b2-c3d4-7e5f-8a6b-7c8d9e0f1aff");
constexpr std::string_view kUser = "0190a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b";

void require(const host::Status& status) {
  if (!status) {
    throw std::runtime_error(status.message());
  }
}

std::vector<px_pair> wire_pairs(const LiveAudit::Pairs& pairs) {
  std::vector<px_pair> out;
  for (const auto& [name, value] : pairs) {
    out.push_back({sdk::to_wire(name), sdk::to_wire(value)});
  }
  return out;
}

}  // namespace

LiveAudit::LiveAudit(ChainDatabase& database, int pool_size, const std::string& settings,
                     const px_table* signing)
    : log_("plexsphere", host::telemetry::Level::kError, std::clog),
      host_{log_, metrics_, health_, "plexsphere"},
      signing_(signing) {
  guest_manifest_.id = "guest";
  guest_manifest_.capabilities.schema = true;
  guest_manifest_.required_ports = {"px.audit/1"};
  make_services(database, pool_size, settings);
  start_plugin();
  store_ = service<sdk::Store>(guest_);
  audit_ = sdk::Audit(reinterpret_cast<const px_audit*>(port_));
}

LiveAudit::~LiveAudit() {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  for (const auto& provider : providers_) {
    provider->draining(deadline);
  }
  for (const auto& provider : providers_) {
    provider->withdrawn(plugin_->context());
  }
  plugin_->end();
  for (auto provider = providers_.rbegin(); provider != providers_.rend(); ++provider) {
    (*provider)->stopped();
  }
}

void LiveAudit::begin_jobs() {
  for (const auto& provider : providers_) {
    provider->started();
  }
}

void LiveAudit::make_services(const ChainDatabase& database, int pool_size,
                              const std::string& settings) {
  const std::string key = files_.path() / "root.key";
  std::ofstream(key) << kRootKey;
  ::chmod(key.c_str(), 0400);
  const std::string file = files_.path() / "plexsphere.toml";
  std::ofstream(file) << "[database]\ndsn = \"" << database.dsn("plexsphere_core")
                      << "\"\npool_size = " << pool_size << "\n[seal]\nroot_key_file = \"" << key
                      << "\"\n[context.audit]\nenabled = true\n"
                      << settings;
  const host::Extension data = host::persistence::extension();
  auto loaded = host::config::load({file, true, {}}, data.sections);
  for (const auto& issue : loaded.issues) {
    throw std::runtime_error(issue.text());
  }
  configuration_ = std::move(loaded.configuration);
  providers_.push_back(host::services::make_log_service(host_));
  providers_.push_back(host::services::make_metrics_service(host_));
  providers_.push_back(host::services::make_health_service(host_));
  providers_.push_back(host::services::make_config_service());
  providers_.push_back(host::services::make_clock_service());
  auto router = host::services::make_router_service();
  router_ = router.get();
  providers_.push_back(std::move(router));
  auto more = data.make(configuration_, host_);
  require(more ? host::Status() : more.status());
  for (auto& provider : *more) {
    providers_.push_back(std::move(provider));
  }
  for (const auto& provider : providers_) {
    require(provider->prepare());
  }
}

const px_table* LiveAudit::table(const host::PluginContext& plugin, std::string_view name) const {
  for (const auto& provider : providers_) {
    if (provider->name() == name) {
      return provider->table_for(plugin);
    }
  }
  return nullptr;
}

template <typename Wrapper>
Wrapper LiveAudit::service(const host::PluginContext& plugin) const {
  return Wrapper(reinterpret_cast<const typename Wrapper::Wire*>(table(plugin, Wrapper::kName)));
}

void LiveAudit::start_plugin() {
  auto read = host::config::read_manifest(AUDIT_PLUGIN_DIRECTORY);
  for (const auto& issue : read.issues) {
    throw std::runtime_error(issue.text());
  }
  host::config::Issues issues;
  auto settings = configuration_.context_settings(read.manifest, issues);
  plugin_ = std::make_unique<host::loader::LoadedPlugin>(
      read.manifest, settings,
      host::loader::LoadedPlugin::Lender{
          [this](host::loader::LoadedPlugin& plugin, std::string_view name) {
            return name == "px.signing/1" ? signing_ : table(plugin.context(), name);
          },
          [this](host::loader::LoadedPlugin&, std::string_view, const px_table* offered) {
            port_ = offered;
            return host::Status();
          }});
  plugin_->set_code(plexsphere_plugin_v1());
  require(plugin_->create());
  require(plugin_->configure());
  register_resolvers();
  for (const auto& provider : providers_) {
    require(provider->configured(plugin_->context()));
  }
  require(plugin_->start());
  for (const auto& provider : providers_) {
    if (signing_ != nullptr) {
      provider->started();
    }
  }
}

void LiveAudit::register_resolvers() {
  const sdk::Audit port(reinterpret_cast<const px_audit*>(port_));
  for (const std::string type : {"domain", "project"}) {
    const auto added = port.resolve_with(
        type, [this, type](std::string_view id) -> sdk::Result<std::vector<sdk::Uuid>> {
          if (id == "away") {
            return sdk::Error{sdk::Code::unavailable, "database_unavailable", "away"};
          }
          const std::lock_guard lock(owners_mutex_);
          const auto at = owners_.find(type + ":" + std::string(id));
          return at == owners_.end() ? std::vector<sdk::Uuid>{} : at->second;
        });
    if (!added.ok()) {
      throw std::runtime_error(added.error().detail);
    }
  }
}

void LiveAudit::add_domain(const sdk::Uuid& domain) {
  const std::lock_guard lock(owners_mutex_);
  owners_["domain:" + domain.text()] = {domain};
}

void LiveAudit::add_project(const std::string& id, const std::vector<sdk::Uuid>& owners) {
  const std::lock_guard lock(owners_mutex_);
  owners_["project:" + id] = owners;
}

std::pair<px_status, std::string> LiveAudit::record(const sdk::AuditEntry& entry) const {
  std::promise<std::pair<px_status, std::string>> answer;
  audit_.record(entry, [&](const sdk::Status& status) {
    answer.set_value(status.ok() ? std::pair<px_status, std::string>(PX_OK, "")
                                 : std::pair(static_cast<px_status>(status.error().code),
                                             status.error().reason));
  });
  return answer.get_future().get();
}

sdk::Status LiveAudit::stage(const std::vector<sdk::AuditEntry>& entries) const {
  auto tx = store_.begin();
  if (!tx.ok()) {
    return tx.error();
  }
  for (const sdk::AuditEntry& entry : entries) {
    if (auto staged = audit_.stage(*tx, entry); !staged.ok()) {
      return staged;
    }
  }
  return tx->commit();
}

Reply LiveAudit::call(const std::string& route, const Pairs& path, const Pairs& query,
                      const std::string& body, std::chrono::milliseconds deadline) const {
  px_principal principal{};
  principal.struct_size = sizeof principal;
  principal.kind = PX_PRINCIPAL_USER;
  principal.id = kCaller.wire();
  const auto path_pairs = wire_pairs(path);
  const auto query_pairs = wire_pairs(query);
  px_request request{};
  request.struct_size = sizeof request;
  request.body = sdk::to_wire_bytes(body);
  request.path_parameters = path_pairs.data();
  request.path_parameter_count = path_pairs.size();
  request.query = query_pairs.data();
  request.query_count = query_pairs.size();
  request.principal = &principal;
  request.deadline_steady_ns = std::chrono::duration_cast<std::chrono::nanoseconds>(
                                   std::chrono::steady_clock::now().time_since_epoch() + deadline)
                                   .count();
  Reply reply;
  const px_responder responder{sizeof(px_responder), 0, &reply,
                               [](void* self, const px_response* response) {
                                 auto& out = *static_cast<Reply*>(self);
                                 out.status = response->status;
                                 out.body = sdk::view(response->body);
                                 out.content_type = sdk::view(response->content_type);
                               },
                               [](void* self, const px_problem* problem) {
                                 auto& out = *static_cast<Reply*>(self);
                                 out.status = problem->status;
                                 out.code = sdk::view(problem->code);
                                 out.detail = sdk::view(problem->detail);
                               }};
  for (const host::http::Route& each : router_->routes_of(plugin_->context())) {
    if (each.method + " " + each.path == route) {
      each.handle(each.ctx, &request, &responder);
      return reply;
    }
  }
  throw std::runtime_error("no such route: " + route);
}

sdk::AuditEntry decision_on(const std::string& project) {
  sdk::AuditEntry entry;
  entry.subject_type = "user";
  entry.subject_id = kUser;
  entry.relation = "read";
  entry.object_type = "project";
  entry.object_id = project;
  entry.correlation_id = "corr-" + project;
  entry.remote_ip = "192.0.2.7";
  entry.user_agent = "plexctl/1.0";
  return entry;
}

sdk::AuditEntry change_in(const sdk::Uuid& domain, const std::string& relation) {
  sdk::AuditEntry entry = decision_on("p");
  entry.relation = relation;
  return entry.in_domain(domain);
}

}  // namespace plexsphere::audit::test
