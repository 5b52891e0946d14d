// Holds a chain's checkpoints against its entries, for the watch: each of them against the root
// over all entries, as they are read from the first one on; the newest again whenever it is another
// one, and the older ones in turn. A checkpoint leaves an entry of its own in the chain, so one
// that an entry tells of and that is not kept was taken away.
//
// What was read is remembered in the process, as the watch does. Thread-safe but for the state
// handed in, which belongs to one thread; blocks on the database.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "app/chain_tree.hpp"
#include "app/digest.hpp"
#include "app/kept_range.hpp"
#include "domain/chain_walk.hpp"
#include "plexsphere/sdk/merkle.hpp"
#include "store/checkpoint_store.hpp"

namespace plexsphere::audit {

class CheckpointCheck {
 public:
  explicit CheckpointCheck(CheckpointStore store) : store_(std::move(store)), tree_(store_) {}

  // Of one chain.
  struct Seen {
    sdk::merkle::CompactRange tree{&sha256};  // over the entries that were read
    StoredCheckpoint newest;                  // that held, as it was then; of size 0: none
    std::int64_t looked_at = 0;               // size of the older one that was looked at last
  };

  // Of the entries that are read next.
  class Batch {
   public:
    Batch(sdk::Uuid chain, sdk::merkle::CompactRange tree, std::vector<StoredCheckpoint> due)
        : chain_(chain), tree_(std::move(tree)), due_(std::move(due)) {}

    // In order; an entry that it had already is passed over.
    void read(const Link& link);
    const std::optional<Divergence>& divergence() const { return divergence_; }
    const sdk::merkle::CompactRange& tree() const { return tree_; }

   private:
    sdk::Uuid chain_;
    sdk::merkle::CompactRange tree_;
    std::vector<StoredCheckpoint> due_;  // ascending
    std::size_t next_ = 0;               // of due_
    std::optional<Divergence> divergence_;
  };
  // For the entries after those that were read, up to `to`.
  sdk::Result<Batch> batch(const sdk::Uuid& chain, const Seen& seen, std::int64_t to) const;

  // The tree over entries that have left.
  sdk::Result<sdk::merkle::CompactRange> kept(const sdk::Uuid& chain, std::int64_t end) const {
    return kept_range(store_, chain, end);
  }

  // The size of the checkpoint that an entry tells of, being its own entry; 0 for any other.
  static std::int64_t told_by(std::string_view canonical);
  // Whether checkpoints of these sizes are there, of which entries tell.
  sdk::Result<std::optional<Divergence>> all_there(const sdk::Uuid& chain,
                                                   const std::vector<std::int64_t>& sizes) const;

  // Whether kOlder more of the checkpoints that were read are still of these entries' tree, further
  // on each time. Of those that cover less than the first `begins` entries, which may have left,
  // the note alone is left to look at.
  static constexpr std::int64_t kOlder = 4;
  sdk::Result<std::optional<Divergence>> older(const sdk::Uuid& chain, Seen& seen,
                                               std::int64_t begins) const;

  // Whether the newest checkpoint is one of these entries, as far as they were read, covers none
  // that is not there, and follows the one that was seen before.
  sdk::Result<std::optional<Divergence>> newest(const sdk::Uuid& chain, Seen& seen) const;

 private:
  // A checkpoint that is not the root over the entries, or not signed under the key beside it.
  sdk::Result<std::optional<Divergence>> fault(const sdk::Uuid& chain,
                                               const StoredCheckpoint& checkpoint) const;
  static sdk::Result<std::optional<Divergence>> note_fault(const sdk::Uuid& chain,
                                                           const StoredCheckpoint& checkpoint);
  sdk::Result<std::optional<Divergence>> is_there(const sdk::Uuid& chain,
                                                  const StoredCheckpoint& checkpoint) const;

  CheckpointStore store_;
  ChainTree tree_;
};

}  // namespace plexsphere::audit
