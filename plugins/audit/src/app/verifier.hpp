// Verification of a chain, or a segment of it, and the quick look at every chain's end.
// Thread-safe; blocks on the database; memory does not grow with the chain.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

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
  Verifier(AuditStore store, CheckpointStore checkpoints, sdk::Log log)
      : store_(std::move(store)), checkpoints_(std::move(checkpoints)), log_(log) {}

  // Walks until the end, a divergence, or `keep_going` says no; a segment cut short by the latter
  // is sound as far as the verdict's `to`. `each`, where given, gets every entry that fitted, in
  // order; the walk may begin again from the first. A divergence is logged and quarantined.
  // A segment that begins with entries that have left begins where the chain does.
  // OUT_OF_RANGE "segment_out_of_range": it begins past the head, or ends behind the boundary.
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
  sdk::Result<Walked> walk(const sdk::Uuid& chain, const Segment& segment,
                           const sdk::Beginning& begins, const std::function<bool()>& keep_going,
                           const std::function<void(const Link&)>& each) const;
  sdk::Result<std::int64_t> first_of(const sdk::Transaction& tx, const sdk::Uuid& chain,
                                     const Segment& segment, const sdk::Beginning& begins) const;
  sdk::Result<ChainWalk> begin_walk(const sdk::Transaction& tx, const sdk::Uuid& chain,
                                    std::int64_t from, const sdk::Beginning& begins) const;

  AuditStore store_;
  CheckpointStore checkpoints_;
  sdk::Log log_;
};

}  // namespace plexsphere::audit
