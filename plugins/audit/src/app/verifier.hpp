// Verification of a chain, or a segment of it, and the quick look at every chain's end.
// Thread-safe; blocks on the database; memory does not grow with the chain.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "app/subject_check.hpp"
#include "domain/chain_walk.hpp"
#include "plexsphere/sdk/checkpoint.hpp"
#include "plexsphere/sdk/services.hpp"
#include "store/audit_store.hpp"
#include "store/checkpoint_store.hpp"

namespace plexsphere::audit {

struct Segment {
  std::optional<std::int64_t> from;  // >= 1; where the chain begins when absent
  std::optional<std::int64_t> to;    // >= from; the head when absent
};

struct Verdict {
  std::optional<Divergence> divergence;
  std::int64_t from = 1;  // what was really walked; `to` is 0 for a chain without entries
  std::int64_t to = 0;
  std::string last_hash;  // of `to`, as recomputed; empty with a divergence
};

class Verifier {
 public:
  Verifier(AuditStore store, CheckpointStore checkpoints, SubjectCheck subjects, sdk::Log log)
      : store_(std::move(store)),
        checkpoints_(std::move(checkpoints)),
        subjects_(std::move(subjects)),
        log_(log) {}

  // Walks until the end, a divergence, or `keep_going` says no; a segment cut short by the latter
  // is sound as far as the verdict's `to`. `each`, where given, gets every entry that fitted, in
  // order; the walk may begin again from the first. What stands beside the entries is held against
  // them as well, and the chain's subjects where no bound is given. A divergence is logged
  // and quarantined.
  // A segment that begins with entries that have left begins where the chain does.
  // OUT_OF_RANGE "segment_out_of_range": it begins past the head, or ends behind the boundary.
  // UNAVAILABLE "pepper_unavailable": nobody can tell who the subjects are.
  sdk::Result<Verdict> verify(const sdk::Uuid& chain, const Segment& segment,
                              const std::function<bool()>& keep_going,
                              const std::function<void(const Link&)>& each = {}) const;

  // Every head against its last entry and its newest checkpoint. Findings are logged and
  // quarantined.
  sdk::Result<std::size_t> check_heads() const;
  // What the chain begins after, as its newest checkpoint says.
  sdk::Result<sdk::Beginning> beginning(const sdk::Uuid& chain) const;
  // Logs and quarantines a finding.
  void report(const sdk::Uuid& chain, const Divergence& divergence) const;

 private:
  struct Walked {
    Verdict verdict;
    bool head_missing = false;  // there are entries and no head
  };
  struct Stepping;
  struct Range {
    std::int64_t from;
    std::int64_t to;
  };
  sdk::Result<Walked> walk(const sdk::Uuid& chain, const Segment& segment,
                           const sdk::Beginning& begins, const std::function<bool()>& keep_going,
                           const std::function<void(const Link&)>& each) const;
  sdk::Result<std::int64_t> first_of(const sdk::Transaction& tx, const sdk::Uuid& chain,
                                     const Segment& segment, const sdk::Beginning& begins) const;
  // The entries of the range, and what stands beside those that the walk has come to.
  sdk::Status read(const sdk::Transaction& tx, const sdk::Uuid& chain, Range range,
                   Stepping& stepping) const;
  // Entries outside of the chain, at an end of it that was reached.
  sdk::Result<std::optional<Divergence>> find_stray(const sdk::Transaction& tx,
                                                    const sdk::Uuid& chain, bool from_the_beginning,
                                                    bool to_the_end) const;
  sdk::Result<ChainWalk> begin_walk(const sdk::Transaction& tx, const sdk::Uuid& chain,
                                    std::int64_t from, const sdk::Beginning& begins) const;

  AuditStore store_;
  CheckpointStore checkpoints_;
  SubjectCheck subjects_;
  sdk::Log log_;
};

}  // namespace plexsphere::audit
