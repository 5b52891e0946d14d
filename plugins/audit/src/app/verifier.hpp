// Verification of a chain, or a segment of it, and the quick look at every chain's end.
// Thread-safe; blocks on the database; memory does not grow with the chain.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>

#include "domain/chain_walk.hpp"
#include "plexsphere/sdk/services.hpp"
#include "store/audit_store.hpp"

namespace plexsphere::audit {

struct Segment {
  std::optional<std::int64_t> from;  // >= 1; genesis when absent
  std::optional<std::int64_t> to;    // >= from; the head when absent
};

struct Verdict {
  std::optional<Divergence> divergence;
  std::int64_t from = 1;  // what was really walked; `to` is 0 for a chain without entries
  std::int64_t to = 0;
};

class Verifier {
 public:
  Verifier(AuditStore store, sdk::Log log) : store_(std::move(store)), log_(log) {}

  // Walks until the end, a divergence, or `keep_going` says no; a segment cut short by the latter
  // is sound as far as the verdict's `to`. A divergence is logged and quarantined.
  // OUT_OF_RANGE "segment_out_of_range": it begins past the head.
  sdk::Result<Verdict> verify(const sdk::Uuid& chain, const Segment& segment,
                              const std::function<bool()>& keep_going) const;

  // Every head against its last entry. Findings are logged and quarantined.
  sdk::Result<std::size_t> check_heads() const;

 private:
  struct Walked {
    Verdict verdict;
    bool head_missing = false;  // there are entries and no head
  };
  sdk::Result<Walked> walk(const sdk::Uuid& chain, const Segment& segment,
                           const std::function<bool()>& keep_going) const;
  sdk::Result<ChainWalk> begin_walk(const sdk::Transaction& tx, const sdk::Uuid& chain,
                                    std::int64_t from) const;
  void report(const sdk::Uuid& chain, const Divergence& divergence) const;

  AuditStore store_;
  sdk::Log log_;
};

// The failing probe `reconcile`, shown as `audit.reconcile`: down when a head and its last entry
// disagree, until the next look finds them agreeing. Looks at the first call, then once a minute;
// while the database is away it keeps its last opinion, and without one it is down.
class ReconcileProbe {
 public:
  static constexpr std::chrono::seconds kEvery{60};

  ReconcileProbe(const Verifier& verifier, sdk::Clock clock) : verifier_(verifier), clock_(clock) {}
  sdk::ProbeResult run();

 private:
  const Verifier& verifier_;
  sdk::Clock clock_;
  std::mutex mutex_;
  std::optional<std::chrono::nanoseconds> looked_at_;  // these two under mutex_
  std::size_t faults_ = 0;
};

}  // namespace plexsphere::audit
