// What the larger parts of the context are put together from. Views; everything outlives the parts.
#pragma once

#include "app/peppers.hpp"
#include "app/reconcile_probe.hpp"
#include "app/verifier.hpp"
#include "plexsphere/sdk/plugin.hpp"
#include "store/audit_store.hpp"
#include "store/checkpoint_store.hpp"

namespace plexsphere::audit {

struct Common {
  const sdk::Host& host;
  const sdk::Config& config;
  const sdk::Metrics& metrics;
  const sdk::Health& health;
  sdk::Clock clock;
  sdk::Log log;
  AuditStore store;
  CheckpointStore checkpoints;
  const Verifier& verifier;
  Peppers& peppers;
  ReconcileProbe& reconcile;
};

// How soon an administrator's request is seen, and one that met trouble is tried again.
inline constexpr std::chrono::seconds kRequestPeriod{2};

}  // namespace plexsphere::audit
