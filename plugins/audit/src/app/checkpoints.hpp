// Makes signed checkpoints of chains: the work of the job audit.checkpoints, which one replica does
// at a time.
//
//   [grow] keep the tree's nodes up to the head, along the hash links          one commit a batch
//   [sign] root and size, outside of any transaction                           none
//   [keep] the note and an entry that tells of it                              one commit
//
// Each step may be repeated: a tree of the same entries has the same root, and Ed25519 signs the
// same text the same way. So whoever is killed in between leaves no second truth. Nothing is signed
// of a chain that does not hold, whose tree no longer begins with the last checkpoint's, or that is
// not what the signer signed last of it.
//
// Thread safety: `run` from one thread, `look` from any. Everything handed in outlives it.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "app/chain_tree.hpp"
#include "app/chain_watch.hpp"
#include "app/last_signed.hpp"
#include "app/note_signer.hpp"
#include "app/peppers.hpp"
#include "app/retention.hpp"
#include "app/tree_growth.hpp"
#include "app/verifier.hpp"
#include "plexsphere/sdk/jobs.hpp"

namespace plexsphere::audit {

class Checkpoints {
 public:
  // Of one run of the job; what is left goes on in the next.
  static constexpr std::chrono::seconds kSlice{5};
  static constexpr std::int64_t kChainsAtOnce = 256;
  // Between two looks at a chain that is not what was signed: doubled from the interval up to this.
  static constexpr std::chrono::hours kLongestRest{1};

  struct Meters {
    sdk::Metric made;       // counter
    sdk::Metric broken;     // counter: a chain does not hold
    sdk::Metric no_signer;  // counter: the signer is away, or has no key
    sdk::Metric failed;     // counter: anything else
    sdk::Metric entries;    // gauge: CheckpointLag
    sdk::Metric seconds;    // gauge: the same
  };
  struct Parts {
    AuditStore store;
    CheckpointStore checkpoints;
    const Verifier& verifier;
    const ChainWatch& watch;
    NoteSigner& signer;
    EpochStore epochs;
    const Retention& retention;
    Peppers& peppers;
    sdk::Clock clock;
    sdk::Log log;
    std::chrono::milliseconds interval;  // between two checkpoints of one chain, at least
    std::function<void()> wake;          // asks for a run soon
    Meters meters;
  };

  explicit Checkpoints(Parts parts)
      : parts_(std::move(parts)),
        tree_(parts_.checkpoints),
        last_signed_(parts_.checkpoints, parts_.epochs, parts_.signer) {}

  // One run of the job: every chain that is due, as far as time allows.
  sdk::Status run(const sdk::JobRun& job);
  // How far behind checkpoints are; sets the gauges.
  sdk::Result<CheckpointLag> look() const;
  // Chains that this replica found to be other than the signer signed them last.
  struct SetBack {
    std::size_t chains = 0;
    std::string first;  // chain and number of one of them
  };
  SetBack set_back() const;

 private:
  struct Rest {
    std::chrono::nanoseconds until{0};
    std::chrono::nanoseconds length{0};
    std::optional<std::int64_t> epoch;  // a declared restore ends the rest
  };
  sdk::Status visit_due(const sdk::JobRun& job);
  // False when nobody signs anything now, or the process stops.
  bool visit(const sdk::JobRun& job, const sdk::Uuid& chain, std::chrono::nanoseconds ends);
  // True when a checkpoint was kept; false when time ran out before.
  // Whether the chain may be looked at again.
  bool rested(const sdk::Uuid& chain) const;
  void rest(const sdk::Uuid& chain, bool is_set_back);
  sdk::Result<bool> make(const sdk::JobRun& job, const sdk::Uuid& chain,
                         std::chrono::nanoseconds ends);
  // The epoch of the next checkpoint, of a chain that is what the signer signed last.
  sdk::Result<std::int64_t> agreed_epoch(const sdk::Uuid& chain, std::int64_t size);
  // The chain's entries still are those of its newest checkpoint. FAILED_PRECONDITION "tree_short"
  // where nodes are missing that `grow` makes anew.
  sdk::Status check_newest(const sdk::Uuid& chain) const;
  sdk::Status keep_nodes(const sdk::JobRun& job, const sdk::Uuid& chain,
                         const std::vector<TreeNode>& nodes) const;
  sdk::Status keep(const sdk::JobRun& job, const sdk::Uuid& chain,
                   const StoredCheckpoint& checkpoint, const Retention::Next& next) const;
  // That there is a checkpoint of so many entries, and that those up to a boundary may leave.
  sdk::Result<Row> own_row(const sdk::Uuid& chain, std::int64_t size) const;
  sdk::Result<Row> boundary_row(const sdk::Uuid& chain, const Boundary& boundary) const;
  sdk::Result<Row> row_about(const sdk::Uuid& chain, std::string_view relation,
                             std::string_view object_type, std::int64_t number,
                             std::vector<std::string> steps) const;
  sdk::Error refuse(const sdk::Uuid& chain, const Divergence& divergence) const;
  [[nodiscard]] bool over(const sdk::JobRun& job, std::chrono::nanoseconds ends) const {
    return job.should_stop() || parts_.clock.steady() >= ends;
  }

  const Parts parts_;
  const ChainTree tree_;
  // These three on the job's thread only.
  LastSigned last_signed_;
  std::map<sdk::Uuid, Rest> resting_;
  std::chrono::nanoseconds signer_rests_until_{0};
  mutable std::mutex mutex_;
  std::map<sdk::Uuid, std::int64_t> set_back_;  // under mutex_: number of the last entry signed
};

}  // namespace plexsphere::audit
