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
      if (!copies.ok() || !check(*copies) || !look_beyond(chain, seq)) {
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
  std::vector<const ArchivedCopy*> kept;
  std::vector<std::string> keys;
  for (const ArchivedCopy& copy : copies) {
    const ArchivedEntry& entry = copy.entry;
    if (copy.archived_at > now - parts_.settings.retention_for(entry.chain)) {
      kept.push_back(&copy);
      keys.push_back(object_key(entry.chain, entry.seq));
    } else {
      clear({entry.chain, entry.seq});
    }
  }
  const auto objects = mirror_.get(keys, [this] { return stopping(); });
  bool all = true;
  for (std::size_t i = 0; i < objects.size(); ++i) {
    const ArchivedEntry& entry = kept[i]->entry;
    if (!objects[i].ok()) {
      all = false;
      continue;
    }
    parts_.meters.checked.add();
    const auto& object = objects[i].value();
    const auto read = object ? from_object(object->body) : std::nullopt;
    if (read == entry && proves_itself(*read) && object->etag == kept[i]->etag) {
      clear({entry.chain, entry.seq});
    } else {
      found(entry, read);
    }
  }
  return all && !stopping();
}

// Entries are copied once they are committed. The chain is looked at again after the object was,
// since both may have come meanwhile. A copy that does not follow from the chain's end is of what a
// restore to an earlier point lost, and of no entry that was cut off.
bool MirrorScan::look_beyond(const Uuid& chain, std::int64_t head) {
  const auto objects = mirror_.get({object_key(chain, head + 1)}, [this] { return stopping(); });
  if (!objects.front().ok()) {
    return false;
  }
  const auto& object = objects.front().value();
  const auto read = object ? from_object(object->body) : std::nullopt;
  const bool is_copy =
      read && read->chain == chain && read->seq == head + 1 && proves_itself(*read);
  if (!is_copy && !cut_off_.contains(chain)) {
    return true;
  }
  const auto last = parts_.chains.entry_hash_now(chain, head);
  const auto next = parts_.chains.entry_hash_now(chain, head + 1);
  if (!last.ok() || !next.ok()) {
    return false;
  }
  const bool cut_off = is_copy && !next.value() && last.value() == read->prev_hash;
  if (const auto at = cut_off_.find(chain);
      at != cut_off_.end() && !(cut_off && at->second == head + 1)) {
    clear({chain, at->second});
    cut_off_.erase(at);
  }
  if (cut_off) {
    cut_off_[chain] = head + 1;
    found(*read, std::nullopt);
  }
  return true;
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
