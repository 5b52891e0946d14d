// px.outbox/1, px.jobs/1 and px.seal/1 as plugins see them.
//
// Thread safety: as ServiceProvider says. Ownership: each owns its tables; the engines are the
// extension's and outlive them.
#pragma once

#include <map>
#include <memory>

#include "host/jobs/scheduler.hpp"
#include "host/outbox/outbox.hpp"
#include "host/seal/vault.hpp"
#include "host/services/provider.hpp"

namespace plexsphere::host {

class OutboxProvider : public ServiceProvider {
 public:
  explicit OutboxProvider(outbox::Outbox& engine);
  ~OutboxProvider() override;
  std::string_view name() const noexcept override { return "px.outbox/1"; }
  // Anybody may subscribe; appending is limited to the manifest's events.
  const px_table* table_for(const PluginContext& plugin) override;
  void withdrawn(const PluginContext& plugin) noexcept override {
    engine_.unsubscribe(plugin.manifest.id);
  }

 private:
  struct Table;
  outbox::Outbox& engine_;
  std::map<const PluginContext*, std::unique_ptr<Table>> tables_;
};

class JobsProvider : public ServiceProvider {
 public:
  explicit JobsProvider(jobs::Scheduler& engine);
  ~JobsProvider() override;
  std::string_view name() const noexcept override { return "px.jobs/1"; }
  // Null without the capability "schema": a job without a role could write nothing.
  const px_table* table_for(const PluginContext& plugin) override;
  void withdrawn(const PluginContext& plugin) noexcept override {
    engine_.remove(plugin.manifest.id);
  }
  void started() override { engine_.start(); }
  void draining(std::chrono::steady_clock::time_point deadline) override {
    (void)engine_.drain(deadline);
  }
  void stopped() override { engine_.stop(); }

 private:
  struct Table;
  jobs::Scheduler& engine_;
  std::map<const PluginContext*, std::unique_ptr<Table>> tables_;
};

class SealProvider : public ServiceProvider {
 public:
  explicit SealProvider(seal::Vault& engine);
  ~SealProvider() override;
  std::string_view name() const noexcept override { return "px.seal/1"; }
  const px_table* table_for(const PluginContext& plugin) override;

 private:
  struct Table;
  seal::Vault& engine_;
  std::map<const PluginContext*, std::unique_ptr<Table>> tables_;
};

}  // namespace plexsphere::host
