// Holds a chain's checkpoints against its entries, for the watch: each of them against the root
// over all entries, as they are read from the first one on; the newest again whenever it is another
// one.
//
// What was read is remembered in the process, as the watch does. Thread-safe but for the state
// handed in, which belongs to one thread; blocks on the database.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
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
    std::int64_t size = 0;                    // of the newest checkpoint that held
    std::string root;
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

  // Whether the newest checkpoint is one of these entries, as far as they were read, covers none
  // that is not there, and follows the one that was seen before.
  sdk::Result<std::optional<Divergence>> newest(const sdk::Uuid& chain, Seen& seen) const;

 private:
  sdk::Result<std::optional<Divergence>> is_there(const sdk::Uuid& chain,
                                                  const StoredCheckpoint& checkpoint) const;

  CheckpointStore store_;
  ChainTree tree_;
};

}  // namespace plexsphere::audit
