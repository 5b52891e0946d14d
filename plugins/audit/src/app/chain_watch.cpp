#include "app/chain_watch.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace plexsphere::audit {

using sdk::Uuid;

namespace {

constexpr std::int64_t kHeadsAtOnce = 256;

}  // namespace

void ChainWatch::start() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = false;
  }
  thread_ = std::thread([this] { run(); });
}

void ChainWatch::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) {
    thread_.join();
  }
}

ChainWatch::Broken ChainWatch::broken() const {
  const std::lock_guard lock(mutex_);
  Broken out{broken_.size(), {}};
  if (!broken_.empty()) {
    out.first = broken_.begin()->first.text() + " at " + broken_.begin()->second;
  }
  return out;
}

bool ChainWatch::is_broken(const Uuid& chain) const {
  const std::lock_guard lock(mutex_);
  return broken_.contains(chain);
}

void ChainWatch::run() {
  do {
    round();
  } while (rest(pace_.between_rounds));
}

void ChainWatch::round() {
  ++round_;
  if (!read_epochs()) {
    return;
  }
  Uuid after;
  for (bool more = true; more;) {
    const auto heads = store_.heads(after, kHeadsAtOnce);
    if (!heads.ok()) {
      return;  // the database's own probe tells of it
    }
    for (const auto& [chain, seq] : heads.value()) {
      Seen& seen = seen_[chain];
      seen.round = round_;
      follow(chain, seen);
      const Look outcome = look(chain, seen, seq);
      if (outcome == Look::kAway) {
        return;
      }
      if (outcome == Look::kHolds) {
        clear(chain);
      }
      after = chain;
    }
    more = static_cast<std::int64_t>(heads->size()) == kHeadsAtOnce;
  }
  for (const auto& [chain, seen] : seen_) {
    if (seen.round != round_ && look_back(chain, seen) == Look::kAway) {  // its head has vanished
      return;
    }
  }
}

bool ChainWatch::read_epochs() {
  auto epochs = epochs_.every_newest();
  if (!epochs.ok()) {
    return false;
  }
  epochs_now_ = std::move(*epochs);
  std::string text;
  for (const auto& [chain, epoch] : epochs_now_) {
    text += (text.empty() ? "" : ", ") + chain.text() + " (epoch " + std::to_string(epoch.epoch) +
            ", " + std::to_string(epoch.after_size) + " of " + std::to_string(epoch.before_size) +
            " entries)";
  }
  const std::lock_guard lock(mutex_);
  restored_ = std::move(text);
  return true;
}

std::string ChainWatch::restored() const {
  const std::lock_guard lock(mutex_);
  return restored_;
}

void ChainWatch::follow(const Uuid& chain, Seen& seen) {
  const auto at = epochs_now_.find(chain);
  if (at == epochs_now_.end() || at->second.epoch <= seen.epoch) {
    return;
  }
  if (seen.seq > 0 && !signer_.vouches(chain, at->second, [this] { return stopping(); })) {
    return;  // whatever it was, to this memory it is no restore
  }
  log_.warn("audit.chain_restored", {{"chain", chain.text()},
                                     {"epoch", std::to_string(at->second.epoch)},
                                     {"entries_before", std::to_string(at->second.before_size)},
                                     {"entries_after", std::to_string(at->second.after_size)}});
  seen = Seen{};
  seen.epoch = at->second.epoch;
  seen.round = round_;
}

ChainWatch::Look ChainWatch::look(const Uuid& chain, Seen& seen, std::int64_t head) {
  Look outcome = skip(chain, seen);
  if (outcome == Look::kHolds) {
    outcome = look_back(chain, seen);
  }
  if (outcome == Look::kHolds) {
    outcome = look_at_head(chain, seen, head);
  }
  if (outcome == Look::kHolds) {
    outcome = read_tail(chain, seen, head);
  }
  seen.whole = seen.whole || outcome == Look::kHolds;
  if (outcome == Look::kHolds) {
    outcome = check_checkpoints(chain, seen);
  }
  if (outcome == Look::kHolds) {
    outcome = read_sample(chain, seen);
  }
  if (outcome == Look::kHolds) {
    outcome = check_subjects(chain, seen);
  }
  return outcome;
}

ChainWatch::Look ChainWatch::skip(const Uuid& chain, Seen& seen) {
  const auto begins = verifier_.beginning(chain);
  if (!begins.ok()) {
    return Look::kAway;
  }
  const auto boundary = static_cast<std::int64_t>(begins->seq);
  if (seen.whole && boundary > seen.seq) {
    return Look::kHolds;  // no boundary is beyond what was read: this chain is another one
  }
  seen.begins = boundary;
  if (begins->seq <= seen.checkpoints.tree.size()) {
    return Look::kHolds;
  }
  auto tree = check_.kept(chain, seen.begins);
  if (!tree.ok()) {
    return tree.error().code == sdk::Code::data_loss ? Look::kHolds : Look::kAway;
  }
  seen.checkpoints.tree = std::move(*tree);
  seen.seq = seen.begins;
  seen.hash = begins->entry_hash;
  return Look::kHolds;
}

// Entries that were read cannot be read again as far as a head before them; a chain that begins has
// one entry.
ChainWatch::Look ChainWatch::look_at_head(const Uuid& chain, const Seen& seen, std::int64_t head) {
  if (head >= std::max<std::int64_t>(seen.seq, 1)) {
    return Look::kHolds;
  }
  return outcome(
      chain, std::optional(Divergence{head, Finding::head_mismatch, std::nullopt, std::nullopt}));
}

ChainWatch::Look ChainWatch::look_back(const Uuid& chain, const Seen& seen) {
  if (seen.seq <= seen.begins) {
    return Look::kHolds;
  }
  auto now = store_.entry_hash_now(chain, seen.seq);
  if (!now.ok()) {
    return Look::kAway;
  }
  if (now.value() == seen.hash) {
    return Look::kHolds;
  }
  return outcome(chain,
                 std::optional(Divergence{seen.seq, Finding::rewritten, seen.hash, now.value()}));
}

ChainWatch::Look ChainWatch::outcome(const Uuid& chain,
                                     const sdk::Result<std::optional<Divergence>>& found_now) {
  if (!found_now.ok()) {
    return Look::kAway;
  }
  if (!found_now.value()) {
    return Look::kHolds;
  }
  verifier_.report(chain, *found_now.value());
  found(chain, *found_now.value());
  return Look::kBroken;
}

ChainWatch::Look ChainWatch::read_tail(const Uuid& chain, Seen& seen, std::int64_t head) {
  Look outcome = Look::kHolds;
  while (outcome == Look::kHolds && seen.seq < head) {
    const std::int64_t to = std::min(seen.seq + kBatch, head);
    auto batch = check_.batch(chain, seen.checkpoints, to);
    outcome = batch.ok() ? read(chain, seen.seq + 1, to, seen, &*batch) : Look::kAway;
  }
  return outcome;
}

ChainWatch::Look ChainWatch::check_checkpoints(const Uuid& chain, Seen& seen) {
  const Look newest = outcome(chain, check_.newest(chain, seen.checkpoints));
  if (newest != Look::kHolds) {
    return newest;
  }
  const auto older = check_.older(chain, seen.checkpoints, seen.begins);
  if (older.ok() && older.value()) {
    const auto begins = verifier_.beginning(chain);
    if (!begins.ok()) {
      return Look::kAway;
    }
    if (static_cast<std::int64_t>(begins->seq) != seen.begins) {
      return Look::kHolds;  // perhaps what it covers has left meanwhile; the next round tells
    }
  }
  return outcome(chain, older);
}

// A pepper that cannot be had is no reason not to look at what follows.
ChainWatch::Look ChainWatch::check_subjects(const Uuid& chain, Seen& seen) {
  const auto found_now = subjects_.next(chain, seen.subject, kSubjects);
  return found_now.ok() ? outcome(chain, found_now) : Look::kHolds;
}

ChainWatch::Look ChainWatch::read_sample(const Uuid& chain, Seen& seen) {
  if (seen.seq <= seen.begins) {
    return Look::kHolds;
  }
  const std::int64_t from = std::max(seen.begins, seen.sampled) + 1;
  Seen reached;
  const Look outcome = read(chain, from, std::min(from + kSample - 1, seen.seq), reached, nullptr);
  if (outcome == Look::kHolds) {
    // From the first again once the end is reached, also where it moves with every round.
    seen.sampled = reached.seq < seen.seq ? reached.seq : 0;
  }
  return outcome;
}

ChainWatch::Look ChainWatch::read(const Uuid& chain, std::int64_t from, std::int64_t to,
                                  Seen& reached, CheckpointCheck::Batch* batch) {
  std::vector<std::int64_t> told;  // sizes of checkpoints
  const auto verdict = verifier_.verify(
      chain, {from, to}, [this] { return !stopping(); },
      [&](const Link& link) {
        if (batch != nullptr) {
          batch->read(link);
        }
        if (const auto size = CheckpointCheck::told_by(link.canonical_bytes); size > 0) {
          told.push_back(size);
        }
      });
  if (!verdict.ok()) {
    return Look::kAway;
  }
  if (verdict->divergence) {
    found(chain, *verdict->divergence);
    return Look::kBroken;
  }
  if (batch != nullptr && batch->divergence()) {
    return outcome(chain, batch->divergence());
  }
  if (const Look there = outcome(chain, check_.all_there(chain, told)); there != Look::kHolds) {
    return there;
  }
  const std::int64_t entries = verdict->to - from + 1;
  if (entries == 0) {
    return Look::kAway;
  }
  if (batch != nullptr) {
    reached.checkpoints.tree = batch->tree();
  }
  reached.seq = verdict->to;
  reached.hash = verdict->last_hash;
  meters_.entries.add(static_cast<double>(entries));
  const auto time = std::chrono::nanoseconds(std::chrono::seconds(1)) * entries;
  return rest(time / pace_.entries_per_second) ? Look::kHolds : Look::kAway;
}

void ChainWatch::found(const Uuid& chain, const Divergence& divergence) {
  const std::lock_guard lock(mutex_);
  broken_[chain] =
      std::to_string(divergence.seq) + " (" + std::string(finding_name(divergence.finding)) + ")";
  meters_.broken.set(static_cast<double>(broken_.size()));
}

void ChainWatch::clear(const Uuid& chain) {
  const std::lock_guard lock(mutex_);
  if (broken_.erase(chain) > 0) {
    meters_.broken.set(static_cast<double>(broken_.size()));
    log_.warn("audit.chain_holds_again", {{"chain", chain.text()}});
  }
}

bool ChainWatch::rest(std::chrono::nanoseconds time) {
  std::unique_lock lock(mutex_);
  return !changed_.wait_for(lock, time, [this] { return stopping_; });
}

bool ChainWatch::stopping() const {
  const std::lock_guard lock(mutex_);
  return stopping_;
}

}  // namespace plexsphere::audit
