#include "app/mirror_scan.hpp"

#include <algorithm>
#include <utility>

namespace plexsphere::audit {

using sdk::Status;
using sdk::Uuid;

namespace {

constexpr std::int64_t kChainsAtOnce = 64;
constexpr std::int64_t kMostSuspects = 64;

}  // namespace

MirrorScan::MirrorScan(Parts parts)
    : parts_(std::move(parts)), mirror_(parts_.egress, parts_.settings) {}

void MirrorScan::start() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = false;
  }
  thread_ = std::thread([this] { work(); });
}

void MirrorScan::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) {
    thread_.join();
  }
}

bool MirrorScan::stopping() const {
  const std::lock_guard lock(mutex_);
  return stopping_;
}

Status MirrorScan::run(const sdk::JobRun&) {
  {
    const std::lock_guard lock(mutex_);
    wanted_ = true;
  }
  changed_.notify_all();
  return {};
}

MirrorScan::Broken MirrorScan::broken() const {
  const std::lock_guard lock(mutex_);
  Broken out{broken_.size(), {}};
  if (!broken_.empty()) {
    out.first = broken_.begin()->first.text() + " at " + std::to_string(broken_.begin()->second);
  }
  return out;
}

void MirrorScan::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return stopping_ || wanted_; });
    if (stopping_) {
      return;
    }
    lock.unlock();
    round();
    lock.lock();
    wanted_ = false;  // what was asked for meanwhile was this round
  }
}

void MirrorScan::round() {
  const auto suspects = parts_.store.suspects(kMostSuspects);
  if (suspects.ok() && check(*suspects)) {
    (void)check_chains(kMost);
  }
}

bool MirrorScan::check_chains(std::size_t budget) {
  while (budget > 0) {
    const auto heads = parts_.chains.heads(chain_, kChainsAtOnce);
    if (!heads.ok()) {
      return false;
    }
    for (const auto& [chain, seq] : *heads) {
      auto& after = after_[chain];
      const auto copies = parts_.store.archived(chain, after, kSample);
      if (!copies.ok() || !check(*copies)) {
        return false;
      }
      const bool more = static_cast<std::int64_t>(copies->size()) == kSample;
      after = more ? copies->back().entry.seq : 0;
      chain_ = chain;
      budget -= std::min(budget, copies->size() + 1);
      if (budget == 0) {
        return true;
      }
    }
    if (static_cast<std::int64_t>(heads->size()) < kChainsAtOnce) {
      chain_ = Uuid();
      return true;
    }
  }
  return true;
}

bool MirrorScan::check(const std::vector<ArchivedCopy>& copies) {
  const auto now = parts_.clock.now();
  std::vector<const ArchivedEntry*> entries;
  std::vector<std::string> keys;
  for (const auto& [entry, archived_at] : copies) {
    if (archived_at + parts_.settings.retention_for(entry.chain) > now) {
      entries.push_back(&entry);
      keys.push_back(object_key(entry.chain, entry.seq));
    } else {
      clear({entry.chain, entry.seq});
    }
  }
  const auto objects = mirror_.get(keys, [this] { return stopping(); });
  bool all = true;
  for (std::size_t i = 0; i < objects.size(); ++i) {
    const ArchivedEntry& entry = *entries[i];
    if (!objects[i].ok()) {
      all = false;
      continue;
    }
    parts_.meters.checked.add();
    const auto& object = objects[i].value();
    const auto read = object ? from_object(object->body) : std::nullopt;
    if (read == entry && proves_itself(*read)) {
      clear({entry.chain, entry.seq});
    } else {
      found(entry, read);
    }
  }
  return all && !stopping();
}

void MirrorScan::found(const ArchivedEntry& entry, const std::optional<ArchivedEntry>& object) {
  bool first = false;
  {
    const std::lock_guard lock(mutex_);
    first = broken_.emplace(entry.chain, entry.seq).second;
    parts_.meters.diverged.set(static_cast<double>(broken_.size()));
  }
  if (first) {
    Divergence divergence{entry.seq, Finding::mirror_divergence, entry.entry_hash, std::nullopt};
    if (object) {
      divergence.observed = object->entry_hash;
    }
    parts_.verifier.report(entry.chain, divergence);
  }
}

void MirrorScan::clear(const Key& key) {
  const std::lock_guard lock(mutex_);
  if (broken_.erase(key) > 0) {
    parts_.meters.diverged.set(static_cast<double>(broken_.size()));
    parts_.log.warn("audit.mirror_holds_again",
                    {{"chain", key.first.text()}, {"seq", std::to_string(key.second)}});
  }
}

}  // namespace plexsphere::audit
