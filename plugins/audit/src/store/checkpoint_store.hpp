// The tables of checkpoints and tree nodes. Declared once in configure; afterwards any thread,
// every call blocks on the database.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "app/tiled_tree.hpp"
#include "plexsphere/sdk/store.hpp"

namespace plexsphere::audit {

struct StoredCheckpoint {
  std::int64_t size = 0;
  std::string root;  // 32 raw bytes
  std::string note;
  std::string key_id;
  std::string public_key;  // 32 raw bytes
  sdk::Instant signed_at;  // the store's own time when it is kept
};

// How far checkpoints are behind, over all chains. A chain whose newest checkpoint lacks nothing
// but entries about checkpoints and their signatures is not behind.
struct CheckpointLag {
  std::int64_t chains = 0;   // behind
  std::int64_t entries = 0;  // the most of one chain that no checkpoint covers
  std::int64_t seconds = 0;  // the longest that such an entry has been waiting
};

class CheckpointStore {
 public:
  CheckpointStore() = default;
  // [init]
  static sdk::Result<CheckpointStore> declare(const sdk::Store& store);

  // Chains beyond `after` in the order of their ids that have grown by more than entries about
  // checkpoints since their newest, which is `interval` old or more; and those that have shrunk
  // below it.
  sdk::Result<std::vector<sdk::Uuid>> due(const sdk::Uuid& after,
                                          std::chrono::milliseconds interval,
                                          std::int64_t limit) const;
  sdk::Result<CheckpointLag> lag() const;

  // The newest, or that of exactly `size`; nothing when there is none.
  sdk::Result<std::optional<StoredCheckpoint>> find(const sdk::Uuid& chain,
                                                    std::optional<std::int64_t> size) const;
  // Sizes beyond `after` up to `to`, ascending, at most `limit`.
  sdk::Result<std::vector<StoredCheckpoint>> list(const sdk::Uuid& chain, std::int64_t after,
                                                  std::int64_t to, std::int64_t limit) const;
  // The first of these sizes that has none.
  sdk::Result<std::optional<std::int64_t>> missing(const sdk::Uuid& chain,
                                                   const std::vector<std::int64_t>& sizes) const;
  // FAILED_PRECONDITION "audit_checkpoint_not_newer" and "audit_checkpoint_beyond_head". Holds the
  // chain's lock until the transaction ends.
  sdk::Status add(const sdk::Transaction& tx, const sdk::Uuid& chain,
                  const StoredCheckpoint& checkpoint) const;

  // How many nodes of level 8 are kept: they are whole up to 256 times that.
  sdk::Result<std::int64_t> tiles(const sdk::Uuid& chain) const;
  // Hashes of the kept nodes `first`..`last` of a level, in order; of level 0, the entries' hashes.
  // Fewer when some are not there.
  sdk::Result<std::vector<std::string>> hashes(const sdk::Uuid& chain, int level,
                                               std::int64_t first, std::int64_t last) const;
  sdk::Status keep(const sdk::Transaction& tx, const sdk::Uuid& chain,
                   const std::vector<TreeNode>& nodes) const;

 private:
  sdk::Store store_;
  sdk::Statement due_;
  sdk::Statement lag_;
  sdk::Statement newest_;
  sdk::Statement of_size_;
  sdk::Statement list_;
  sdk::Statement missing_;
  sdk::Statement add_;
  sdk::Statement tiles_;
  sdk::Statement entries_;
  sdk::Statement nodes_;
  sdk::Statement keep_;
};

}  // namespace plexsphere::audit
