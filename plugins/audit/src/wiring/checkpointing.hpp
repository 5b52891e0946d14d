// Checkpoints and what hangs on them: declared restores and the retention boundary, with their
// jobs, metrics and probe.
//
// Owns its parts, whose jobs and probe use it until the process ends.
#pragma once

#include <chrono>
#include <memory>

#include "app/checkpoint_probe.hpp"
#include "app/checkpoints.hpp"
#include "app/restore_declarer.hpp"
#include "app/retention.hpp"
#include "wiring/common.hpp"

namespace plexsphere::audit {

class Checkpointing {
 public:
  // [init]
  static sdk::Result<std::unique_ptr<Checkpointing>> make(const Common& common, EpochStore epochs,
                                                          const ChainWatch& watch,
                                                          NoteSigner& signer,
                                                          std::chrono::milliseconds interval);

 private:
  Checkpointing() = default;
  sdk::Status add_retention(const Common& common, std::chrono::milliseconds interval);
  sdk::Status add_checkpoints(const Common& common, const EpochStore& epochs,
                              const ChainWatch& watch, NoteSigner& signer,
                              std::chrono::milliseconds interval);
  sdk::Status add_restores(const Common& common, const EpochStore& epochs, NoteSigner& signer);

  sdk::Jobs jobs_;
  // In the order in which each needs the ones before it.
  std::unique_ptr<Retention> retention_;
  std::unique_ptr<Pruner> pruner_;
  std::unique_ptr<Checkpoints> checkpoints_;
  std::unique_ptr<CheckpointProbe> probe_;
  std::unique_ptr<RestoreDeclarer> declarer_;
};

}  // namespace plexsphere::audit
