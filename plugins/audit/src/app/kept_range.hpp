// What the kept nodes of a chain's tree make of its first entries, without the entries.
#pragma once

#include <cstdint>
#include <functional>

#include "plexsphere/sdk/merkle.hpp"
#include "store/checkpoint_store.hpp"

namespace plexsphere::audit {

// Calls `each` for the nodes over the first `end` entries, a whole number of tiles, from the
// highest level down. DATA_LOSS "tree_nodes_missing".
sdk::Status for_each_kept(const CheckpointStore& store, const sdk::Uuid& chain, std::int64_t end,
                          const std::function<void(const TreeNode&)>& each);

// The tree over them.
sdk::Result<sdk::merkle::CompactRange> kept_range(const CheckpointStore& store,
                                                  const sdk::Uuid& chain, std::int64_t end);

}  // namespace plexsphere::audit
