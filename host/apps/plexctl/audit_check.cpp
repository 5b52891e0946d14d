#include "host/apps/plexctl/audit_check.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "host/apps/plexctl/digest.hpp"
#include "host/apps/plexctl/failure.hpp"

namespace plexsphere::plexctl {
namespace {

std::string entry_name(std::uint64_t seq) {
  return "entry " + std::to_string(seq);
}

}  // namespace

ChainCheck::ChainCheck(std::string origin, std::vector<sdk::NoteKey> keys)
    : notes_(std::move(origin), std::move(keys)),
      tree_(&sha256),
      previous_(sdk::merkle::kHashSize, '\0') {}

void ChainCheck::begin(const sdk::Beginning& begins, const std::vector<std::string>& peaks) {
  try {
    tree_ = sdk::merkle::CompactRange(&sha256, begins.seq, peaks);
  } catch (const std::logic_error& error) {
    throw Failure(ExitCode::incomplete, std::string("incomplete: ") + error.what());
  }
  begins_ = begins;
  previous_ = begins.entry_hash;
}

void ChainCheck::checkpoint(std::string_view note) {
  const auto each =
      notes_.checkpoint(note, "checkpoint " + std::to_string(checkpoints_.size() + 1));
  if (!each) {
    return;
  }
  if (!checkpoints_.empty() && each->size <= checkpoints_.back().size) {
    throw tampered("a checkpoint of " + std::to_string(each->size) +
                   " entries comes after one of " + std::to_string(checkpoints_.back().size));
  }
  if (const std::uint64_t epoch = notes_.epoch_at(each->size); each->epoch != epoch) {
    throw tampered("the checkpoint of " + std::to_string(each->size) + " entries is of epoch " +
                   std::to_string(each->epoch) + ", and the declared restores make it " +
                   std::to_string(epoch));
  }
  checkpoints_.push_back(*each);
}

void ChainCheck::earlier(std::string_view note) {
  const auto found = notes_.checkpoint(note, "the note from before");
  if (!found) {
    throw Failure(ExitCode::incomplete,
                  "incomplete: the note from before is not signed under a key that you trust");
  }
  if (found->size < begins_.seq) {
    throw Failure(ExitCode::incomplete,
                  "incomplete: the note from before covers " + std::to_string(found->size) +
                      " entries, and those up to " + std::to_string(begins_.seq) +
                      " are not in the export: take a later note");
  }
  if (const auto* restore = notes_.lost_in(*found)) {
    if (restore->epoch == found->epoch + 1 && found->size > restore->before.size) {
      throw tampered("a note from before covers " + std::to_string(found->size) +
                     " entries, and the declared restore speaks of " +
                     std::to_string(restore->before.size) + " at the most");
    }
    lost_ = true;
    return;
  }
  earlier_.insert(std::upper_bound(earlier_.begin(), earlier_.end(), *found,
                                   [](const auto& a, const auto& b) { return a.size < b.size; }),
                  *found);
}

const sdk::RestoreStatement* ChainCheck::news() const {
  if (notes_.restores().empty()) {
    return nullptr;
  }
  const sdk::RestoreStatement& newest = notes_.restores().back();
  const bool known = std::any_of(earlier_.begin(), earlier_.end(),
                                 [&](const auto& each) { return each.epoch >= newest.epoch; });
  return known && !lost_ ? nullptr : &newest;
}

// Whether what is missing comes later is known only then.
void ChainCheck::out_of_order(const ExportedEntry& entry) {
  const std::uint64_t seq = gap_ ? gap_->missing : tree_.size() + 1;
  if (gap_ && entry.seq != seq) {
    return;
  }
  if (gap_) {
    throw tampered(entry_name(seq) + " comes after " + entry_name(gap_->came));
  }
  if (!names_itself(entry, notes_.chain())) {
    throw tampered("in place of " + entry_name(seq) + " comes " + entry_name(entry.seq) +
                   ", whose bytes are those of another entry or chain");
  }
  if (entry.seq < seq) {
    throw tampered(entry_name(entry.seq) + " comes twice");
  }
  gap_ = Gap{seq, entry.seq};
}

void ChainCheck::entry(const ExportedEntry& entry) {
  const std::uint64_t seq = tree_.size() + 1;
  if (gap_ || entry.seq != seq) {
    out_of_order(entry);
    return;
  }
  if (entry.prev_hash != previous_) {
    throw tampered(entry_name(seq) + " does not follow from the entry before it");
  }
  check_entry(entry, notes_.chain());
  previous_ = entry.entry_hash;
  tree_.append(sdk::merkle::leaf_hash(&sha256, entry.entry_hash));
  hold_against_tree(checkpoints_, next_checkpoint_);
  hold_against_tree(earlier_, next_earlier_);
}

void ChainCheck::hold_against_tree(const std::vector<sdk::Checkpoint>& checkpoints,
                                   std::size_t& next) const {
  for (const sdk::RestoreStatement& each : notes_.restores()) {
    if (each.after.size == tree_.size() && each.after.root != tree_.root()) {
      throw tampered("the first " + std::to_string(tree_.size()) +
                     " entries are not those that a declared restore goes on from");
    }
  }
  for (; next < checkpoints.size() && checkpoints[next].size <= tree_.size(); ++next) {
    if (checkpoints[next].size == tree_.size() && checkpoints[next].root != tree_.root()) {
      throw tampered("the first " + std::to_string(tree_.size()) +
                     " entries are not those of a signed checkpoint");
    }
  }
}

Verified ChainCheck::finish() const {
  if (gap_) {
    throw Failure(ExitCode::incomplete, "incomplete: " + entry_name(gap_->missing) +
                                            " is missing; " + entry_name(gap_->came) +
                                            " comes in its place");
  }
  if (checkpoints_.empty()) {
    throw Failure(ExitCode::incomplete,
                  "incomplete: no checkpoint is signed under a key that you trust");
  }
  const std::uint64_t covered = checkpoints_.back().size;
  if (begins_.seq > 0 && checkpoints_.back().begins != begins_) {
    throw Failure(ExitCode::incomplete,
                  "incomplete: entries 1 to " + std::to_string(begins_.seq) +
                      " are missing, and the newest signed checkpoint does not let them leave");
  }
  if (tree_.size() < covered) {
    throw Failure(ExitCode::truncated, "truncated: a checkpoint covers " + std::to_string(covered) +
                                           " entries, and there are " +
                                           std::to_string(tree_.size()));
  }
  if (!earlier_.empty() && earlier_.back().size > tree_.size()) {
    throw Failure(ExitCode::truncated,
                  "truncated: a note from before covers " + std::to_string(earlier_.back().size) +
                      " entries, and there are " + std::to_string(tree_.size()) +
                      "; no restore of the chain was declared that would explain it");
  }
  if (tree_.size() > covered) {
    throw Failure(ExitCode::incomplete,
                  "incomplete: there are " + std::to_string(tree_.size()) +
                      " entries, and the newest checkpoint that is signed under a key that you "
                      "trust covers " +
                      std::to_string(covered));
  }
  if (const auto* restore = news()) {
    throw Failure(ExitCode::restored,
                  "restored: the chain was set back from " + std::to_string(restore->before.size) +
                      " to " + std::to_string(restore->after.size) +
                      " signed entries, as declared (epoch " + std::to_string(restore->epoch) +
                      ", " + std::to_string(restore->declared_at) + ", \"" + restore->reason +
                      "\"); all " + std::to_string(tree_.size()) + " entries that there are hold");
  }
  return {tree_.size() - begins_.seq, checkpoints_.size(), covered, begins_.seq};
}

}  // namespace plexsphere::plexctl
