#include "app/verifier.hpp"

#include <algorithm>
#include <limits>
#include <string>

#include "app/digest.hpp"
#include "app/note_signer.hpp"
#include "domain/canonical_check.hpp"
#include "domain/record.hpp"

namespace plexsphere::audit {
namespace {

using sdk::Code;
using sdk::Error;
using sdk::Result;
using sdk::Uuid;

constexpr std::int64_t kAskEvery = 256;  // entries between two questions to keep_going
constexpr std::int64_t kEverything = std::numeric_limits<std::int64_t>::max();
// Entries after which what stands beside them is looked at.
constexpr std::int64_t kSlice = 8'192;

// What the entries of one slice say of where their requests came from.
class ContextDigests {
 public:
  void begin(std::int64_t seq) {
    first_ = seq;
    digests_.clear();
  }
  // Of the entry after the last one.
  void add(std::string_view digest) { digests_.append(digest.size() == kSize ? digest : kNone); }
  std::string_view of(std::int64_t seq) const {
    return std::string_view(digests_).substr(static_cast<std::size_t>(seq - first_) * kSize, kSize);
  }

 private:
  static constexpr std::size_t kSize = 64;  // hex digits
  static constexpr std::string_view kNone =
      "----------------------------------------------------------------";
  std::int64_t first_ = 1;
  std::string digests_;
};

}  // namespace

// A walk under way, and what came of it.
struct Verifier::Stepping {
  ChainWalk& walk;
  const std::function<bool()>& keep_going;
  const std::function<void(const Link&)>& each;
  ContextDigests contexts;
  std::optional<Divergence> divergence;
  bool cut_short = false;

  // False where it ends.
  bool step(const Link& link) {
    divergence = walk.step(link);
    if (divergence) {
      return false;
    }
    contexts.add(context_digest(link.canonical_bytes));
    if (each) {
      each(link);
    }
    cut_short = walk.steps() % kAskEvery == 0 && !keep_going();
    return !cut_short;
  }
};

Result<sdk::Beginning> Verifier::beginning(const Uuid& chain) const {
  const auto newest = checkpoints_.find(chain, std::nullopt);
  return newest.ok() ? Result<sdk::Beginning>(beginning_of(chain, newest.value())) : newest.error();
}

// Entries behind the boundary are part of a walk that asks for them, if they are there.
Result<std::int64_t> Verifier::first_of(const sdk::Transaction& tx, const Uuid& chain,
                                        const Segment& segment,
                                        const sdk::Beginning& begins) const {
  const auto boundary = static_cast<std::int64_t>(begins.seq);
  const std::int64_t from = segment.from.value_or(boundary + 1);
  if (from > boundary) {
    return from;
  }
  const auto there = store_.entry_hash(tx, chain, from);
  if (!there.ok()) {
    return there.error();
  }
  return there.value() ? from : boundary + 1;
}

Result<ChainWalk> Verifier::begin_walk(const sdk::Transaction& tx, const Uuid& chain,
                                       std::int64_t from, const sdk::Beginning& begins) const {
  std::optional<std::string> predecessor;
  if (begins.seq > 0 && from == static_cast<std::int64_t>(begins.seq) + 1) {
    predecessor = begins.entry_hash;
  } else if (from > 1) {
    auto hash = store_.entry_hash(tx, chain, from - 1);
    if (!hash.ok()) {
      return hash.error();
    }
    predecessor = std::move(*hash);
  }
  return ChainWalk(&entry_hash, canonical_head(chain.text()), from, std::move(predecessor));
}

// Reads in one transaction and writes nothing: a finding is kept in another one, after this one has
// given its connection back.
Result<Verifier::Walked> Verifier::walk(const Uuid& chain, const Segment& segment,
                                        const sdk::Beginning& begins,
                                        const std::function<bool()>& keep_going,
                                        const std::function<void(const Link&)>& each) const {
  auto tx = store_.store().begin_snapshot();
  if (!tx.ok()) {
    return tx.error();
  }
  // Of the same snapshot as the entries: what is appended meanwhile is not part of this walk.
  const auto head = store_.head(*tx, chain);
  if (!head.ok()) {
    return head.error();
  }
  const bool has_head = head.value().has_value();
  const std::int64_t end = has_head ? head.value()->seq : 0;
  const auto first = first_of(*tx, chain, segment, begins);
  if (!first.ok()) {
    return first.error();
  }
  const std::int64_t from = *first;
  const std::int64_t to = std::min(segment.to.value_or(end), end);
  if (from > 1 && from > end) {
    return Error{
        Code::out_of_range, "segment_out_of_range",
        "The segment begins past the end of the chain, which is at " + std::to_string(end) + "."};
  }
  if (begins.seq > 0 && to < from) {
    return Error{Code::out_of_range, "segment_out_of_range",
                 "The segment ends behind the retention boundary, which is at " +
                     std::to_string(begins.seq) + "."};
  }
  auto walk = begin_walk(*tx, chain, from, begins);
  if (!walk.ok()) {
    return walk.error();
  }
  Stepping stepping{*walk, keep_going, each, {}, {}, false};
  if (auto done = read(*tx, chain, {from, has_head ? to : kEverything}, stepping); !done.ok()) {
    return done.error();
  }
  std::optional<Divergence>& divergence = stepping.divergence;
  const bool cut_short = stepping.cut_short;
  const bool to_the_end = !cut_short && has_head && to == end;
  if (!divergence && !cut_short) {
    divergence =
        walk->finish(to, to_the_end ? std::optional(head.value()->entry_hash) : std::nullopt);
  }
  if (!divergence) {
    const bool from_the_beginning = from <= static_cast<std::int64_t>(begins.seq) + 1;
    auto stray = find_stray(*tx, chain, from_the_beginning, to_the_end);
    if (!stray.ok()) {
      return stray.error();
    }
    divergence = std::move(stray.value());
  }
  const std::int64_t reached = divergence ? divergence->seq : walk->last_seq();
  return Walked{{divergence, from, reached, divergence ? std::string() : walk->last_hash()},
                !has_head && reached > 0};
}

// In slices, so that the look at what stands beside them is within the caller's time as well.
sdk::Status Verifier::read(const sdk::Transaction& tx, const Uuid& chain, Range range,
                           Stepping& stepping) const {
  const auto step = [&](const Link& link) { return stepping.step(link); };
  for (std::int64_t next = range.from; next <= range.to; next = stepping.walk.last_seq() + 1) {
    const std::int64_t until = range.to - next < kSlice ? range.to : next + kSlice - 1;
    stepping.contexts.begin(next);
    if (auto done = store_.walk(tx, chain, next, until, step); !done.ok()) {
      return done;
    }
    if (stepping.divergence) {
      return {};
    }
    auto context =
        store_.context_fault(tx, chain, next, stepping.walk.last_seq(),
                             [&](std::int64_t seq) { return stepping.contexts.of(seq); });
    if (!context.ok()) {
      return context.error();
    }
    stepping.divergence = std::move(context.value());
    if (stepping.divergence || stepping.cut_short || stepping.walk.last_seq() < until) {
      return {};
    }
  }
  return {};
}

Result<std::optional<Divergence>> Verifier::find_stray(const sdk::Transaction& tx,
                                                       const Uuid& chain, bool from_the_beginning,
                                                       bool to_the_end) const {
  if (!from_the_beginning && !to_the_end) {
    return std::optional<Divergence>{};
  }
  const auto strays = store_.strays(tx, chain);
  if (!strays.ok()) {
    return strays.error();
  }
  for (const Divergence& stray : *strays) {
    if (stray.seq < 1 ? from_the_beginning : to_the_end) {
      return std::optional(stray);
    }
  }
  return std::optional<Divergence>{};
}

Result<Verdict> Verifier::verify(const Uuid& chain, const Segment& segment,
                                 const std::function<bool()>& keep_going,
                                 const std::function<void(const Link&)>& each) const {
  auto begins = beginning(chain);
  if (!begins.ok()) {
    return begins.error();
  }
  auto walked = walk(chain, segment, *begins, keep_going, each);
  if (walked.ok() && walked->head_missing) {
    walked = walk(chain, segment, *begins, keep_going, each);  // perhaps it was only just begun
  }
  if (walked.ok() && walked->verdict.divergence &&
      walked->verdict.divergence->finding == Finding::missing_entry) {
    // Perhaps the boundary was moved meanwhile, and what is missing has left.
    auto now = beginning(chain);
    if (now.ok() && *now != *begins) {
      walked = walk(chain, segment, *now, keep_going, each);
    }
  }
  if (!walked.ok()) {
    return walked.error();
  }
  Verdict& verdict = walked->verdict;
  if (walked->head_missing && !verdict.divergence) {
    verdict.divergence = Divergence{verdict.to, Finding::head_mismatch, std::nullopt, std::nullopt};
    verdict.last_hash.clear();
  }
  if (!verdict.divergence && !segment.from && !segment.to && keep_going()) {
    auto subjects = subjects_.every(chain);
    if (!subjects.ok()) {
      return subjects.error();
    }
    verdict.divergence = std::move(subjects.value());
  }
  if (verdict.divergence) {
    report(chain, *verdict.divergence);
  }
  return verdict;
}

void Verifier::report(const Uuid& chain, const Divergence& divergence) const {
  log_.error("audit.divergence", {{"chain", chain.text()},
                                  {"seq", std::to_string(divergence.seq)},
                                  {"finding", std::string(finding_name(divergence.finding))}});
  if (const auto kept = store_.quarantine(chain, divergence); !kept.ok()) {
    log_.error("audit.quarantine_failed",
               {{"chain", chain.text()}, {"reason", kept.error().reason}});
  }
}

Result<std::size_t> Verifier::check_heads() const {
  const auto faults = store_.head_faults();
  if (!faults.ok()) {
    return faults.error();
  }
  for (const HeadFault& fault : faults.value()) {
    report(fault.chain, {fault.seq, Finding::head_mismatch, fault.last_hash, fault.head_hash});
  }
  const auto beyond = store_.checkpoints_beyond();
  if (!beyond.ok()) {
    return beyond.error();
  }
  for (const CheckpointBeyond& each : beyond.value()) {
    report(each.chain, {each.size, Finding::checkpoint_mismatch, each.root, std::nullopt});
  }
  return faults.value().size() + beyond.value().size();
}

}  // namespace plexsphere::audit
