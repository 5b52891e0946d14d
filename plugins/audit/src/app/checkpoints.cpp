#include "app/checkpoints.hpp"

#include <algorithm>
#include <utility>

#include "app/rows.hpp"
#include "plexsphere/sdk/encoding.hpp"
#include "plexsphere/sdk/failpoint.hpp"

namespace plexsphere::audit {
namespace {

using sdk::Code;
using sdk::Error;
using sdk::Result;
using sdk::Status;
using sdk::Uuid;

constexpr std::string_view kRefused = "chain_does_not_hold";
// What the chain is and what the signer signed of it differ; either side may notice.
constexpr std::string_view kSetBack = "chain_set_back";
constexpr std::string_view kRegressed = "checkpoint_regressed";
// Nodes below the newest checkpoint are not there, and are grown anew.
constexpr std::string_view kTreeShort = "tree_short";

// Nobody signs anything now, as opposed to this chain.
constexpr std::string_view kNoSigner = "signing_unavailable";

}  // namespace

Status Checkpoints::run(const sdk::JobRun& job) {
  if (parts_.signer.available() && parts_.clock.steady() >= signer_rests_until_) {
    if (auto visited = visit_due(job); !visited.ok()) {
      return visited;
    }
  }
  const auto lag = look();
  return lag.ok() ? Status() : Status(lag.error());
}

Status Checkpoints::visit_due(const sdk::JobRun& job) {
  const auto ends = parts_.clock.steady() + kSlice;
  Uuid after;
  for (bool more = true; more;) {
    const auto chains = parts_.checkpoints.due(after, parts_.interval, kChainsAtOnce);
    if (!chains.ok()) {
      return chains.error();
    }
    for (const Uuid& chain : *chains) {
      if (over(job, ends)) {
        parts_.wake();
        return {};
      }
      if (!visit(job, chain, ends)) {
        return {};
      }
      after = chain;
    }
    more = static_cast<std::int64_t>(chains->size()) == kChainsAtOnce;
  }
  return {};
}

Result<CheckpointLag> Checkpoints::look() const {
  const auto lag = parts_.checkpoints.lag();
  if (lag.ok()) {
    parts_.meters.entries.set(static_cast<double>(lag->entries));
    parts_.meters.seconds.set(static_cast<double>(lag->seconds));
  }
  return lag;
}

// One chain's fault is not the others'.
bool Checkpoints::visit(const sdk::JobRun& job, const Uuid& chain, std::chrono::nanoseconds ends) {
  if (!rested(chain)) {
    return true;
  }
  const auto made = make(job, chain, ends);
  if (made.ok()) {
    resting_.erase(chain);
    const std::lock_guard lock(mutex_);
    set_back_.erase(chain);
    parts_.meters.made.add(*made ? 1 : 0);
    return true;
  }
  const Error& error = made.error();
  if (error.code == Code::cancelled) {
    return false;
  }
  last_signed_.forget(chain);
  const bool is_set_back = error.reason == kSetBack || error.reason == kRegressed;
  const bool outage = error.code == Code::unavailable && error.reason == kNoSigner;
  const bool broken = is_set_back || error.reason == kRefused;
  const sdk::Metric& meter = broken                                      ? parts_.meters.broken
                             : outage || error.reason == "key_not_found" ? parts_.meters.no_signer
                                                                         : parts_.meters.failed;
  meter.add();
  if (outage) {
    signer_rests_until_ = parts_.clock.steady() + parts_.interval;
  } else {
    rest(chain, is_set_back);
  }
  parts_.log.error("audit.checkpoint_failed",
                   {{"chain", chain.text()}, {"reason", error.reason}, {"detail", error.detail}});
  return !outage;
}

bool Checkpoints::rested(const Uuid& chain) const {
  const auto at = resting_.find(chain);
  if (at == resting_.end() || parts_.clock.steady() >= at->second.until) {
    return true;
  }
  if (!at->second.epoch) {
    return false;
  }
  const auto now = last_signed_.epoch_of(chain);
  return now.ok() && *now != *at->second.epoch;
}

void Checkpoints::rest(const Uuid& chain, bool is_set_back) {
  Rest& rest = resting_[chain];
  const std::chrono::nanoseconds shortest = parts_.interval;
  const std::chrono::nanoseconds longest =
      std::max<std::chrono::nanoseconds>(kLongestRest, shortest);
  rest.length = is_set_back ? std::clamp(rest.length * 2, shortest, longest) : shortest;
  rest.until = parts_.clock.steady() + rest.length;
  const auto epoch = last_signed_.epoch_of(chain);
  rest.epoch = is_set_back && epoch.ok() ? std::optional(*epoch) : std::nullopt;
}

Checkpoints::SetBack Checkpoints::set_back() const {
  const std::lock_guard lock(mutex_);
  SetBack out{set_back_.size(), {}};
  if (!set_back_.empty()) {
    const auto& [chain, size] = *set_back_.begin();
    out.first = chain.text() + " of which " + std::to_string(size) + " entries were signed";
  }
  return out;
}

Result<std::int64_t> Checkpoints::agreed_epoch(const Uuid& chain, std::int64_t size) {
  const auto standing = last_signed_.compare(chain, size);
  if (!standing.ok()) {
    return standing.error();
  }
  if (!standing->divergence) {
    return standing->epoch;
  }
  parts_.verifier.report(chain, *standing->divergence);
  const std::string signed_entries = std::to_string(standing->divergence->seq);
  const std::lock_guard lock(mutex_);
  set_back_[chain] = standing->divergence->seq;
  return Error{Code::data_loss, std::string(kSetBack),
               "The signer signed a checkpoint of " + signed_entries +
                   " entries last, and the chain is not that one. If the database was restored to "
                   "an earlier point, declare it: plexsphere-bootstrap audit declare-restored."};
}

Result<bool> Checkpoints::make(const sdk::JobRun& job, const Uuid& chain,
                               std::chrono::nanoseconds ends) {
  if (parts_.watch.is_broken(chain)) {
    return Error{Code::data_loss, std::string(kRefused), "The watch has found a divergence."};
  }
  const auto same = check_newest(chain);
  const bool is_short = !same.ok() && same.error().reason == kTreeShort;
  if (!same.ok() && !is_short) {
    return same.error();
  }
  const auto should_stop = [&job] { return job.should_stop(); };
  if (auto asked = last_signed_.ask(chain, should_stop); !asked.ok()) {
    return asked.error();
  }
  auto growth = TreeGrowth::begin(parts_.store, parts_.checkpoints, chain);
  if (!growth.ok()) {
    return growth.error();
  }
  while (!growth->finished()) {
    if (over(job, ends)) {
      return false;
    }
    auto step = growth->grow();
    if (!step.ok()) {
      return step.error();
    }
    if (step->divergence) {
      return refuse(chain, *step->divergence);
    }
    if (auto kept = keep_nodes(job, chain, step->nodes); !kept.ok()) {
      return kept.error();
    }
  }
  PLEXSPHERE_FAILPOINT("checkpoint.grown");
  if (auto again = is_short ? check_newest(chain) : Status(); !again.ok()) {
    return again.error();
  }
  const auto epoch = agreed_epoch(chain, growth->size());
  if (!epoch.ok()) {
    return epoch.error();
  }
  const auto next = parts_.retention.next(chain);
  if (!next.ok()) {
    return next.error();
  }
  const Boundary& boundary = next->boundary;
  auto note = parts_.signer.sign(chain,
                                 {{},
                                  static_cast<std::uint64_t>(growth->size()),
                                  growth->root(),
                                  static_cast<std::uint64_t>(*epoch),
                                  {static_cast<std::uint64_t>(boundary.seq), boundary.entry_hash}},
                                 should_stop);
  if (!note.ok()) {
    return note.error();
  }
  PLEXSPHERE_FAILPOINT("checkpoint.signed");
  if (auto kept = keep(
          job, chain,
          {growth->size(), growth->root(), note->note, note->key.key_id, note->key.key, {}}, *next);
      !kept.ok()) {
    return kept.error();
  }
  parts_.log.info("audit.checkpoint",
                  {{"chain", chain.text()}, {"size", std::to_string(growth->size())}});
  return true;
}

Status Checkpoints::check_newest(const Uuid& chain) const {
  const auto newest = parts_.checkpoints.find(chain, std::nullopt);
  if (!newest.ok()) {
    return newest.error();
  }
  if (!newest.value()) {
    return {};
  }
  const StoredCheckpoint& checkpoint = *newest.value();
  auto root = tree_.root(chain, checkpoint.size);
  if (!root.ok()) {
    return root.error();
  }
  if (root.value() == checkpoint.root) {
    return {};
  }
  const auto tiles = parts_.checkpoints.tiles(chain);
  if (!tiles.ok()) {
    return tiles.error();
  }
  if (!root.value() && *tiles < checkpoint.size / kTileLeaves) {
    return Error{Code::failed_precondition, std::string(kTreeShort), "Kept nodes are not there."};
  }
  return refuse(chain, {checkpoint.size, Finding::checkpoint_mismatch, checkpoint.root,
                        std::move(root.value())});
}

Error Checkpoints::refuse(const Uuid& chain, const Divergence& divergence) const {
  parts_.verifier.report(chain, divergence);
  return {Code::data_loss, std::string(kRefused),
          "Entry " + std::to_string(divergence.seq) + ": " +
              std::string(finding_name(divergence.finding)) + "."};
}

Status Checkpoints::keep_nodes(const sdk::JobRun& job, const Uuid& chain,
                               const std::vector<TreeNode>& nodes) const {
  if (nodes.empty()) {
    return {};
  }
  auto tx = job.begin();
  if (!tx.ok()) {
    return tx.error();
  }
  if (auto kept = parts_.checkpoints.keep(*tx, chain, nodes); !kept.ok()) {
    return kept;
  }
  PLEXSPHERE_FAILPOINT("checkpoint.nodes");
  return tx->commit();
}

// The entry first: it takes the chain's lock, under which the checkpoint is held against the
// others.
Status Checkpoints::keep(const sdk::JobRun& job, const Uuid& chain,
                         const StoredCheckpoint& checkpoint, const Retention::Next& next) const {
  const auto row = own_row(chain, checkpoint.size);
  if (!row.ok()) {
    return row.error();
  }
  std::vector<const Row*> written{&row.value()};
  std::optional<Row> moved_row;
  if (next.moves) {
    auto made = boundary_row(chain, next.boundary);
    if (!made.ok()) {
      return made.error();
    }
    written.push_back(&moved_row.emplace(std::move(*made)));
  }
  auto tx = job.begin();
  if (!tx.ok()) {
    return tx.error();
  }
  if (auto appended = parts_.store.append(*tx, written); !appended.ok()) {
    return appended;
  }
  if (auto added = parts_.checkpoints.add(*tx, chain, checkpoint); !added.ok()) {
    return added;
  }
  if (next.moves) {
    if (auto moved = parts_.retention.boundaries().move(*tx, chain, next.boundary); !moved.ok()) {
      return moved;
    }
  }
  PLEXSPHERE_FAILPOINT("checkpoint.added");
  auto committed = tx->commit();
  PLEXSPHERE_FAILPOINT("checkpoint.kept");
  return committed;
}

Result<Row> Checkpoints::own_row(const Uuid& chain, std::int64_t size) const {
  return row_about(chain, "audit.checkpoint", "audit_checkpoint", size, {});
}

Result<Row> Checkpoints::boundary_row(const Uuid& chain, const Boundary& boundary) const {
  const auto kept = parts_.retention.kept(chain).value_or(std::chrono::milliseconds(0));
  return row_about(
      chain, "audit.prune", "audit_boundary", boundary.seq,
      {"until:" + std::to_string(boundary.seq) + ":" + sdk::hex_encode(boundary.entry_hash),
       "retention:" +
           std::to_string(std::chrono::duration_cast<std::chrono::seconds>(kept).count()) + "s"});
}

Result<Row> Checkpoints::row_about(const Uuid& chain, std::string_view relation,
                                   std::string_view object_type, std::int64_t number,
                                   std::vector<std::string> steps) const {
  return audit::own_row(
      chain,
      {"audit.checkpoints", relation, object_type, std::to_string(number), {}, std::move(steps)},
      parts_.clock.now(), parts_.peppers);
}

}  // namespace plexsphere::audit
