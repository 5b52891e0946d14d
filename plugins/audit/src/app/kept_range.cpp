#include "app/kept_range.hpp"

#include "app/digest.hpp"
#include "app/tiled_tree.hpp"

namespace plexsphere::audit {

using sdk::Status;
using sdk::Uuid;

Status for_each_kept(const CheckpointStore& store, const Uuid& chain, std::int64_t end,
                     const std::function<void(const TreeNode&)>& each) {
  for (int level = kTopBand * kBandLevels; level > 0; level -= kBandLevels) {
    const std::int64_t last = end >> level;
    const std::int64_t first = last & ~(kTileLeaves - 1);
    if (first == last) {
      continue;
    }
    const auto hashes = store.hashes(chain, level, first, last - 1);
    if (!hashes.ok()) {
      return hashes.error();
    }
    if (static_cast<std::int64_t>(hashes->size()) != last - first) {
      return sdk::Error{sdk::Code::data_loss, "tree_nodes_missing",
                        "Kept nodes of level " + std::to_string(level) + " are not there."};
    }
    for (std::int64_t i = 0; i < last - first; ++i) {
      each({level, first + i, (*hashes)[static_cast<std::size_t>(i)]});
    }
  }
  return {};
}

sdk::Result<sdk::merkle::CompactRange> kept_range(const CheckpointStore& store, const Uuid& chain,
                                                  std::int64_t end) {
  sdk::merkle::CompactRange range(&sha256);
  auto done = for_each_kept(store, chain, end, [&](const TreeNode& node) {
    range.append_subtree(static_cast<unsigned>(node.level), node.hash);
  });
  return done.ok() ? sdk::Result<sdk::merkle::CompactRange>(std::move(range)) : done.error();
}

}  // namespace plexsphere::audit
