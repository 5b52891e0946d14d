// The informational probe `checkpoints`, shown as `audit.checkpoints`: degraded while no checkpoint
// can be made, or entries have been waiting for one for long. Every replica asks the database, so
// that it does not matter which of them makes them. Thread-safe.
#pragma once

#include <chrono>

#include "app/checkpoints.hpp"
#include "app/note_signer.hpp"

namespace plexsphere::audit {

class CheckpointProbe {
 public:
  // Entries may wait this many intervals, and a minute in any case.
  static constexpr int kIntervals = 5;
  static constexpr std::chrono::seconds kAtLeast{60};

  CheckpointProbe(const Checkpoints& checkpoints, const NoteSigner& signer,
                  std::chrono::milliseconds interval)
      : checkpoints_(checkpoints), signer_(signer), interval_(interval) {}
  sdk::ProbeResult run() const;

 private:
  const Checkpoints& checkpoints_;
  const NoteSigner& signer_;
  const std::chrono::milliseconds interval_;
};

}  // namespace plexsphere::audit
