#include "app/checkpoint_check.hpp"

#include <algorithm>

#include "app/note_signer.hpp"

namespace plexsphere::audit {

using sdk::Result;
using sdk::Uuid;

void CheckpointCheck::Batch::read(const Link& link) {
  if (divergence_ || link.seq != static_cast<std::int64_t>(tree_.size()) + 1) {
    return;
  }
  tree_.append(sdk::merkle::leaf_hash(&sha256, link.entry_hash));
  if (next_ == due_.size() || due_[next_].size != link.seq) {
    return;
  }
  const StoredCheckpoint& checkpoint = due_[next_++];
  if (tree_.root() != checkpoint.root || !holds(chain_, checkpoint)) {
    divergence_ = Divergence{link.seq, Finding::checkpoint_mismatch, checkpoint.root, tree_.root()};
  }
}

Result<CheckpointCheck::Batch> CheckpointCheck::batch(const Uuid& chain, const Seen& seen,
                                                      std::int64_t to) const {
  const auto read = static_cast<std::int64_t>(seen.tree.size());
  auto due = store_.list(chain, read, to, to - read);
  if (!due.ok()) {
    return due.error();
  }
  return Batch(chain, seen.tree, std::move(*due));
}

// What is not read yet is held against the checkpoint when it is. It may have come since the head
// was looked at, but whatever a checkpoint covers was there before it.
Result<std::optional<Divergence>> CheckpointCheck::is_there(
    const Uuid& chain, const StoredCheckpoint& checkpoint) const {
  const auto last = store_.hashes(chain, 0, checkpoint.size - 1, checkpoint.size - 1);
  if (!last.ok()) {
    return last.error();
  }
  return last->empty() ? std::optional(Divergence{checkpoint.size, Finding::checkpoint_mismatch,
                                                  checkpoint.root, std::nullopt})
                       : std::optional<Divergence>{};
}

Result<std::optional<Divergence>> CheckpointCheck::newest(const Uuid& chain, Seen& seen) const {
  const auto found = store_.find(chain, std::nullopt);
  if (!found.ok()) {
    return found.error();
  }
  const StoredCheckpoint newest = found.value().value_or(StoredCheckpoint{});
  if (newest.size == seen.size && newest.root == seen.root) {
    return std::optional<Divergence>{};
  }
  if (newest.size > static_cast<std::int64_t>(seen.tree.size())) {
    return is_there(chain, newest);
  }
  const auto differs = [&](std::optional<std::string> observed) {
    return std::optional(Divergence{std::max(newest.size, seen.size), Finding::checkpoint_mismatch,
                                    newest.size > seen.size ? newest.root : seen.root,
                                    std::move(observed)});
  };
  if (newest.size <= seen.size) {
    return seen.size == 0 ? std::optional<Divergence>{}
                          : differs(newest.size == 0 ? std::nullopt : std::optional(newest.root));
  }
  auto root = tree_.root(chain, newest.size);
  if (!root.ok()) {
    return root.error();
  }
  if (root.value() != newest.root || !holds(chain, newest)) {
    return differs(std::move(root.value()));
  }
  seen.size = newest.size;
  seen.root = newest.root;
  return std::optional<Divergence>{};
}

}  // namespace plexsphere::audit
