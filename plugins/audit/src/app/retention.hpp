// Which entries may leave the database: those behind the retention boundary, which the operator's
// settings move forward, whole tiles of 256 at a time. Every one of them is archived, older than
// its chain's retention by its own bytes, and below the newest checkpoint; and the last whole tile
// before that stays, so that the tree grows on.
//
// The boundary is declared in the next checkpoint ("begins"), by the signer and in an entry
// audit.prune; only then entries leave, a bounded number in a transaction.
//
// Thread safety: any thread, but Pruner::run, which is the job's. Blocks on the database.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>

#include "plexsphere/sdk/jobs.hpp"
#include "plexsphere/sdk/services.hpp"
#include "plexsphere/sdk/uuid.hpp"
#include "store/boundary_store.hpp"
#include "store/checkpoint_store.hpp"

namespace plexsphere::audit {

struct RetentionSettings {
  std::optional<std::chrono::milliseconds> kept;   // nothing: entries stay for good
  std::map<sdk::Uuid, std::chrono::days> kept_of;  // Domains that have their own

  std::optional<std::chrono::milliseconds> for_chain(const sdk::Uuid& chain) const {
    const auto own = kept_of.find(chain);
    return own == kept_of.end() ? kept : std::optional<std::chrono::milliseconds>(own->second);
  }
};

// INVALID_ARGUMENT names the key.
sdk::Result<RetentionSettings> read_retention_settings(const sdk::Config& config);

class Retention {
 public:
  static constexpr std::int64_t kTilesAtOnce = 16;

  Retention(BoundaryStore boundaries, CheckpointStore checkpoints, RetentionSettings settings,
            sdk::Clock clock)
      : boundaries_(std::move(boundaries)),
        checkpoints_(std::move(checkpoints)),
        settings_(std::move(settings)),
        clock_(clock) {}

  struct Next {
    Boundary boundary;  // where the chain's next checkpoint begins
    bool moves = false;
  };
  sdk::Result<Next> next(const sdk::Uuid& chain) const;
  std::optional<std::chrono::milliseconds> kept(const sdk::Uuid& chain) const {
    return settings_.for_chain(chain);
  }
  const BoundaryStore& boundaries() const { return boundaries_; }

 private:
  const BoundaryStore boundaries_;
  const CheckpointStore checkpoints_;
  const RetentionSettings settings_;
  const sdk::Clock clock_;
};

// Removes what is behind the boundaries. The work of the job audit.prune.
class Pruner {
 public:
  static constexpr std::int64_t kBatch = 1'000;     // entries of one transaction
  static constexpr std::chrono::seconds kSlice{5};  // of one run of the job

  Pruner(BoundaryStore boundaries, sdk::Clock clock, sdk::Log log, sdk::Metric pruned)
      : boundaries_(std::move(boundaries)), clock_(clock), log_(log), pruned_(pruned) {}

  sdk::Status run(const sdk::JobRun& job) const;

 private:
  sdk::Status prune(const sdk::JobRun& job, const sdk::Uuid& chain, const Boundary& boundary,
                    std::chrono::nanoseconds ends) const;

  const BoundaryStore boundaries_;
  const sdk::Clock clock_;
  const sdk::Log log_;
  const sdk::Metric pruned_;  // counter
};

}  // namespace plexsphere::audit
