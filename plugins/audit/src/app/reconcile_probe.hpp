// The failing probe `reconcile`, shown as `audit.reconcile`: down while a chain is known not to
// hold.
//
// What it knows: that each chain ends where its head says, looked at by itself at the first call
// and then once a minute; and what the watch has found. While the database is away it keeps its
// last opinion, and without one it is down. Thread-safe.
#pragma once

#include <chrono>
#include <mutex>
#include <optional>

#include "app/chain_watch.hpp"
#include "app/checkpoints.hpp"
#include "app/mirror_scan.hpp"
#include "app/verifier.hpp"

namespace plexsphere::audit {

class ReconcileProbe {
 public:
  static constexpr std::chrono::seconds kEvery{60};

  ReconcileProbe(const Verifier& verifier, const ChainWatch& watch, sdk::Clock clock)
      : verifier_(verifier), watch_(watch), clock_(clock) {}
  // The mirror is looked at too; `scan` outlives this. [init]
  void look_at(const MirrorScan& scan) { scan_ = &scan; }
  // What the signer says is heard too; `checkpoints` outlive this. [init]
  void look_at(const Checkpoints& checkpoints) { checkpoints_ = &checkpoints; }
  sdk::ProbeResult run();

 private:
  const Verifier& verifier_;
  const ChainWatch& watch_;
  sdk::Clock clock_;
  const MirrorScan* scan_ = nullptr;          // null: there is no mirror
  const Checkpoints* checkpoints_ = nullptr;  // null: none are made
  std::mutex mutex_;
  std::optional<std::chrono::nanoseconds> looked_at_;  // these two under mutex_
  std::size_t faults_ = 0;
};

}  // namespace plexsphere::audit
