#include "app/checkpoint_check.hpp"

#include <charconv>

#include "app/note_signer.hpp"

namespace plexsphere::audit {

using sdk::Result;
using sdk::Uuid;

namespace {

// In all that the note says or is verified with; nothing vouches for the rest.
bool is_same(const StoredCheckpoint& one, const StoredCheckpoint& other) {
  return one.size == other.size && one.root == other.root && one.note == other.note &&
         one.public_key == other.public_key;
}

}  // namespace

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

Result<std::optional<Divergence>> CheckpointCheck::fault(const Uuid& chain,
                                                         const StoredCheckpoint& checkpoint) const {
  auto root = tree_.root(chain, checkpoint.size);
  if (!root.ok()) {
    return root.error();
  }
  if (root.value() == checkpoint.root && holds(chain, checkpoint)) {
    return std::optional<Divergence>{};
  }
  return std::optional(Divergence{checkpoint.size, Finding::checkpoint_mismatch, checkpoint.root,
                                  std::move(root.value())});
}

Result<std::optional<Divergence>> CheckpointCheck::note_fault(const Uuid& chain,
                                                              const StoredCheckpoint& checkpoint) {
  return holds(chain, checkpoint)
             ? std::optional<Divergence>{}
             : std::optional(Divergence{checkpoint.size, Finding::checkpoint_mismatch,
                                        checkpoint.root, std::nullopt});
}

Result<std::optional<Divergence>> CheckpointCheck::newest(const Uuid& chain, Seen& seen) const {
  const auto found = store_.find(chain, std::nullopt);
  if (!found.ok()) {
    return found.error();
  }
  const StoredCheckpoint newest = found.value().value_or(StoredCheckpoint{});
  if (is_same(newest, seen.newest)) {
    return std::optional<Divergence>{};
  }
  if (newest.size > static_cast<std::int64_t>(seen.tree.size())) {
    return is_there(chain, newest);
  }
  if (newest.size <= seen.newest.size) {
    return std::optional(Divergence{seen.newest.size, Finding::checkpoint_mismatch,
                                    seen.newest.root,
                                    newest.size == 0 ? std::nullopt : std::optional(newest.root)});
  }
  auto wrong = fault(chain, newest);
  if (wrong.ok() && !wrong.value()) {
    seen.newest = newest;
  }
  return wrong;
}

Result<std::optional<Divergence>> CheckpointCheck::older(const Uuid& chain, Seen& seen,
                                                         std::int64_t begins) const {
  const auto page =
      store_.list(chain, seen.looked_at, static_cast<std::int64_t>(seen.tree.size()), kOlder);
  if (!page.ok()) {
    return page.error();
  }
  for (const StoredCheckpoint& each : *page) {
    auto wrong = each.size < begins ? note_fault(chain, each) : fault(chain, each);
    if (!wrong.ok() || wrong.value()) {
      return wrong;
    }
  }
  const bool more = static_cast<std::int64_t>(page->size()) == kOlder;
  seen.looked_at = more ? page->back().size : 0;
  return std::optional<Divergence>{};
}

// Within a string of canonical bytes every quote is escaped, so these members are found nowhere
// but in their place.
std::int64_t CheckpointCheck::told_by(std::string_view canonical) {
  constexpr std::string_view kOwn =
      "\"relation\":\"audit.checkpoint\",\"object_type\":\"audit_checkpoint\",\"object_id\":\"";
  const std::size_t at = canonical.find(kOwn);
  std::int64_t size = 0;
  if (at != std::string_view::npos) {
    const std::string_view rest = canonical.substr(at + kOwn.size());
    std::from_chars(rest.data(), rest.data() + rest.size(), size);
  }
  return size;
}

Result<std::optional<Divergence>> CheckpointCheck::all_there(
    const Uuid& chain, const std::vector<std::int64_t>& sizes) const {
  if (sizes.empty()) {
    return std::optional<Divergence>{};
  }
  const auto missing = store_.missing(chain, sizes);
  if (!missing.ok()) {
    return missing.error();
  }
  return missing.value() ? std::optional(Divergence{*missing.value(), Finding::checkpoint_mismatch,
                                                    std::nullopt, std::nullopt})
                         : std::optional<Divergence>{};
}

}  // namespace plexsphere::audit
