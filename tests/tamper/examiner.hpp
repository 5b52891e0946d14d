// What verifies the audit chains of a database, taken out of the context and put together by hand:
// its own verifier, probe and watch, over the host's own px.store and under the context's own role,
// but no appends, no jobs and no pace. So a test decides who looks, when, and at what.
//
// Not thread-safe. Owns its connections; the database outlives it.
#pragma once

#include <cstdint>
#include <fstream>
#include <memory>
#include <string>

#include "app/chain_watch.hpp"
#include "app/checkpoint_check.hpp"
#include "app/note_signer.hpp"
#include "app/peppers.hpp"
#include "app/verifier.hpp"
#include "chain_database.hpp"
#include "host/config/configuration.hpp"
#include "host/health/registry.hpp"
#include "host/services/provider.hpp"
#include "host/telemetry/log.hpp"
#include "host/telemetry/metrics.hpp"
#include "store/audit_store.hpp"
#include "store/checkpoint_store.hpp"
#include "store/epoch_store.hpp"
#include "support/temp_dir.hpp"

namespace plexsphere::tamper {

class Examiner {
 public:
  explicit Examiner(const audit::test::ChainDatabase& database);
  ~Examiner();
  Examiner(const Examiner&) = delete;
  Examiner& operator=(const Examiner&) = delete;

  // As POST …/audit/verify does, and the watch batch by batch.
  const audit::Verifier& verifier() const { return *verifier_; }
  const audit::AuditStore& chains() const { return chains_; }
  const audit::CheckpointStore& checkpoints() const { return checkpoints_; }
  // A process's watch that has seen nothing yet, and looks when it is told to.
  std::unique_ptr<audit::ChainWatch> new_watch() const;

 private:
  template <typename Wrapper>
  Wrapper service() const;

  test_support::TempDir files_;
  std::ofstream nowhere_;
  host::telemetry::Logger log_;
  host::telemetry::Metrics metrics_;
  host::health::Registry health_;
  host::HostContext host_;
  host::config::Configuration configuration_;
  host::config::Manifest manifest_;
  host::config::Settings settings_;
  std::unique_ptr<host::PluginContext> context_;
  host::ServiceProviders providers_;
  audit::AuditStore chains_;
  audit::CheckpointStore checkpoints_;
  audit::EpochStore epochs_;
  std::unique_ptr<audit::NoteSigner> signer_;  // that has no signer: it vouches for no restore
  std::unique_ptr<audit::Peppers> peppers_;
  std::unique_ptr<audit::SubjectCheck> subjects_;
  std::unique_ptr<audit::Verifier> verifier_;
};

}  // namespace plexsphere::tamper
