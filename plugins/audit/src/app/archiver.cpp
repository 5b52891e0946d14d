#include "app/archiver.hpp"

#include <sodium.h>

#include <algorithm>
#include <tuple>
#include <utility>

#include "app/digest.hpp"
#include "domain/record.hpp"
#include "plexsphere/sdk/failpoint.hpp"

namespace plexsphere::audit {
namespace {

using sdk::Error;
using sdk::Status;
using sdk::Uuid;

constexpr std::chrono::seconds kMeasureEvery{5};
constexpr std::int64_t kLongLag = 3'600;  // seconds

// Half to all of it, so that replicas and chains do not come back together.
std::chrono::milliseconds jittered(std::chrono::milliseconds time) {
  const auto half = static_cast<std::uint32_t>(time.count() / 2);
  return std::chrono::milliseconds(half + ::randombytes_uniform(half + 1));
}

}  // namespace

Archiver::Archiver(Parts parts)
    : parts_(std::move(parts)), mirror_(parts_.egress, parts_.settings) {}

void Archiver::start() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = false;
  }
  thread_ = std::thread([this] { work(); });
}

void Archiver::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) {
    thread_.join();
  }
}

bool Archiver::stopping() const {
  const std::lock_guard lock(mutex_);
  return stopping_;
}

// --- the leader's job ----------------------------------------------------------------------------

Status Archiver::run(const sdk::JobRun& run) {
  if (auto stamped = stamp_done(run); !stamped.ok()) {
    return stamped;
  }
  if (auto measured = measure(); !measured.ok()) {
    return measured;
  }
  return pick_next();
}

Status Archiver::stamp_done(const sdk::JobRun& run) {
  std::optional<Done> done;
  {
    const std::lock_guard lock(mutex_);
    done = std::exchange(done_, std::nullopt);
  }
  if (!done || done->stamps.empty()) {
    return {};
  }
  auto tx = run.begin();
  if (!tx.ok()) {
    return tx.error();
  }
  if (auto stamped = parts_.store.stamp(*tx, done->chain, done->stamps); !stamped.ok()) {
    return stamped;
  }
  PLEXSPHERE_FAILPOINT("archive.stamping");
  if (auto committed = tx->commit(); !committed.ok()) {
    return committed;  // the next leader finds the objects and stamps them
  }
  PLEXSPHERE_FAILPOINT("archive.stamped");
  parts_.meters.copied.add(static_cast<double>(done->stamps.size()));
  return {};
}

Status Archiver::measure() {
  {
    const std::lock_guard lock(mutex_);
    if (parts_.clock.steady() < measure_at_) {
      return {};
    }
    measure_at_ = parts_.clock.steady() + kMeasureEvery;
  }
  const auto lag = parts_.store.lag();
  if (!lag.ok()) {
    return lag.error();
  }
  parts_.meters.lag_entries.set(static_cast<double>(lag->entries));
  parts_.meters.lag_seconds.set(static_cast<double>(lag->seconds));
  const std::lock_guard lock(mutex_);
  lag_ = *lag;
  return {};
}

// Round the chains: a batch of one, then the next batch of the same until it has no more. What
// could not be copied stays behind and is tried again in the next round.
Status Archiver::pick_next() {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_ || copying_ || next_ || done_ || parts_.clock.steady() < not_before_) {
      return {};
    }
    if (again_) {
      std::tie(chain_, after_) = *std::exchange(again_, std::nullopt);
      in_chain_ = true;
    }
  }
  while (true) {
    if (!in_chain_) {
      const auto behind = parts_.store.behind(chain_, 1);
      if (!behind.ok()) {
        return behind.error();
      }
      if (behind->empty()) {
        chain_ = Uuid();
        return {};  // the round is over
      }
      std::tie(chain_, after_) = behind->front();
      in_chain_ = true;
    }
    auto entries = parts_.store.unarchived(chain_, after_, kBatch);
    if (!entries.ok()) {
      return entries.error();
    }
    if (entries->empty()) {
      in_chain_ = false;
      continue;
    }
    after_ = entries->back().seq;
    Batch batch{chain_, sound(std::move(*entries))};
    if (batch.entries.empty()) {
      continue;
    }
    const std::lock_guard lock(mutex_);
    next_ = std::move(batch);
    changed_.notify_all();
    return {};
  }
}

std::vector<ArchivedEntry> Archiver::sound(std::vector<ArchivedEntry> entries) {
  std::vector<ArchivedEntry> out;
  std::optional<ChainWalk> walk;
  for (auto& entry : entries) {
    if (!walk || walk->last_seq() + 1 != entry.seq) {
      walk.emplace(&entry_hash, canonical_head(entry.chain.text()), entry.seq, std::nullopt);
    }
    const auto divergence =
        walk->step({entry.seq, entry.prev_hash, entry.entry_hash, entry.canonical_bytes, true});
    if (!divergence) {
      out.push_back(std::move(entry));
      continue;
    }
    walk.reset();
    keep_out(entry, *divergence);
  }
  return out;
}

// --- the archiver's thread -----------------------------------------------------------------------

void Archiver::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return stopping_ || next_; });
    if (stopping_) {
      return;
    }
    const Batch batch = std::move(*next_);
    next_.reset();
    copying_ = true;
    lock.unlock();
    copy(batch);
    parts_.wake();
    lock.lock();
  }
}

void Archiver::copy(const Batch& batch) {
  PLEXSPHERE_FAILPOINT("archive.picked");
  const auto copies =
      mirror_.copy(batch.entries, parts_.clock.now(), [this] { return stopping(); });
  PLEXSPHERE_FAILPOINT("archive.uploaded");
  Done done{batch.chain, {}};
  const Error* failure = nullptr;
  std::size_t failed_at = 0;
  for (std::size_t i = 0; i < copies.size(); ++i) {
    const ArchivedEntry& entry = batch.entries[i];
    if (copies[i].state == Mirror::Copy::stored) {
      done.stamps.push_back({entry.seq, copies[i].etag});
      const std::lock_guard lock(mutex_);
      stuck_.erase({entry.chain, entry.seq});
    } else if (copies[i].state == Mirror::Copy::differs) {
      diverges(entry, copies[i].found);
    } else {
      parts_.meters.failed.add();
      failed_at = failure == nullptr ? i : failed_at;
      failure = failure == nullptr ? &copies[i].error : failure;
    }
  }
  const bool leaves = stopping();
  if (failure != nullptr && !leaves) {
    back_off(*failure, batch.entries[failed_at]);
  }
  const std::lock_guard lock(mutex_);
  if (failure == nullptr) {
    failures_ = 0;
    trouble_.clear();
  }
  parts_.meters.stuck.set(static_cast<double>(stuck_.size()));
  done_ = std::move(done);
  copying_ = false;
}

void Archiver::diverges(const ArchivedEntry& entry, const std::optional<ArchivedEntry>& found) {
  Divergence divergence{entry.seq, Finding::mirror_divergence, entry.entry_hash, std::nullopt};
  if (found) {
    divergence.observed = found->entry_hash;
  }
  keep_out(entry, divergence);
}

// Told once, though it is looked at in each round.
void Archiver::keep_out(const ArchivedEntry& entry, const Divergence& divergence) {
  bool first = false;
  {
    const std::lock_guard lock(mutex_);
    first = stuck_.emplace(entry.chain, entry.seq).second;
    parts_.meters.stuck.set(static_cast<double>(stuck_.size()));
  }
  if (first) {
    parts_.verifier.report(entry.chain, divergence);
  }
}

void Archiver::back_off(const Error& error, const ArchivedEntry& entry) {
  std::chrono::milliseconds wait{};
  bool first = false;
  {
    const std::lock_guard lock(mutex_);
    const int doublings = std::min(failures_++, 12);
    wait = jittered(
        std::min<std::chrono::milliseconds>(kFirstBackOff * (1 << doublings), kLongestBackOff));
    not_before_ = parts_.clock.steady() + wait;
    if (failures_ <= kInOrder) {
      again_ = {entry.chain, entry.seq - 1};
    }
    const std::string trouble = error.reason + ": " + error.detail;
    first = trouble_ != trouble;
    trouble_ = trouble;
  }
  if (first) {
    parts_.log.warn("audit.archive_failed", {{"reason", error.reason},
                                             {"detail", error.detail},
                                             {"again_in_ms", std::to_string(wait.count())}});
  }
}

sdk::ProbeResult Archiver::probe() const {
  const std::lock_guard lock(mutex_);
  if (!stuck_.empty()) {
    const auto& [chain, seq] = *stuck_.begin();
    return {PX_HEALTH_DEGRADED, std::to_string(stuck_.size()) +
                                    " entries cannot be archived, one of them " + chain.text() +
                                    " at " + std::to_string(seq) +
                                    "; see audit.audit_tamper_quarantine"};
  }
  if (!trouble_.empty()) {
    return {PX_HEALTH_DEGRADED, "entries wait for the mirror: " + trouble_};
  }
  if (lag_.seconds > kLongLag) {
    return {PX_HEALTH_DEGRADED, std::to_string(lag_.entries) +
                                    " entries wait for the mirror, the oldest for " +
                                    std::to_string(lag_.seconds) + " s"};
  }
  return {PX_HEALTH_OK, "entries are archived, or another replica does it"};
}

}  // namespace plexsphere::audit
