// Two replicas, PostgreSQL with fsync, a signer and a mirror, all of which are killed or watched.
//
// Thread safety: url, domains, projects, the tokens and sql from any thread; the rest from one.
// Owns every process and the store behind the mirror.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "e2e/deployment.hpp"
#include "support/s3_server.hpp"

namespace plexsphere::soak {

// Entries of a chain, both ends included.
struct Window {
  std::string chain;
  std::int64_t from = 0;
  std::int64_t to = 0;
};

class AuditSite {
 public:
  static constexpr std::size_t kReplicas = 2;

  AuditSite();

  std::string url(std::size_t replica) const;
  // Each Domain with one Project of the same index.
  const std::vector<std::string>& domains() const { return domains_; }
  const std::vector<std::string>& projects() const { return projects_; }
  const std::string& operator_token() const { return deployment_.operator_token(); }
  // Of a user who may do nothing.
  const std::string& stranger_token() const { return stranger_; }

  // Waits until a replica has ended by SIGKILL and starts another in its place.
  void replace_killed_core();
  void kill_core(std::size_t replica);
  // SIGKILL to the server, then recovery; replicas may take their time to notice.
  void crash_postgres();
  void wait_until_ready() const;

  // Deletes archived entries of the longest chain behind everybody's back, as many as take three
  // batches to bring back.
  Window drop_window();
  // The administrator's command, running.
  std::unique_ptr<test_support::Process> begin_restore(const Window& window) const;

  std::string sql(const std::string& text) const;
  test_support::PgCluster& postgres() { return deployment_.postgres(); }
  std::string admin_dsn() const { return deployment_.admin_dsn(); }
  test_support::S3Server& store() { return store_; }
  std::vector<Window> dropped() const { return dropped_; }

 private:
  void start(std::size_t replica);

  test_support::S3Server store_;
  mutable e2e::Deployment deployment_;
  std::string settings_;
  std::string stranger_;
  std::array<e2e::Core*, kReplicas> cores_{};  // the live ones, owned by deployment_
  mutable std::mutex mutex_;
  std::array<std::string, kReplicas> urls_;  // under mutex_
  std::vector<std::string> domains_;
  std::vector<std::string> projects_;
  std::vector<Window> dropped_;
};

}  // namespace plexsphere::soak
