#include "app/tree_growth.hpp"

#include <algorithm>
#include <utility>

#include "app/digest.hpp"
#include "app/kept_range.hpp"
#include "domain/record.hpp"

namespace plexsphere::audit {

using sdk::Code;
using sdk::Error;
using sdk::Result;
using sdk::Status;
using sdk::Uuid;

Result<TreeGrowth> TreeGrowth::begin(const AuditStore& chains, const CheckpointStore& trees,
                                     const Uuid& chain) {
  const auto tiles = trees.tiles(chain);
  if (!tiles.ok()) {
    return tiles.error();
  }
  const std::int64_t kept = *tiles * kTileLeaves;
  const std::int64_t begin = std::max<std::int64_t>(kept - kTileLeaves, 0);
  auto tx = chains.store().begin_snapshot();
  if (!tx.ok()) {
    return tx.error();
  }
  const auto head = chains.head(*tx, chain);
  if (!head.ok()) {
    return head.error();
  }
  if (!head.value()) {
    return Error{Code::not_found, "chain_empty", "The chain has no entries."};
  }
  std::optional<std::string> predecessor;
  if (begin > 0) {
    auto before = chains.entry_hash(*tx, chain, begin);
    if (!before.ok()) {
      return before.error();
    }
    predecessor = std::move(*before);
  }
  TreeGrowth growth(
      chains, chain, *head.value(), kept,
      ChainWalk(&entry_hash, canonical_head(chain.text()), begin + 1, std::move(predecessor)));
  if (auto loaded = growth.load(trees, begin); !loaded.ok()) {
    return loaded.error();
  }
  return growth;
}

// The nodes that end at `begin`, a whole number of tiles, from the highest level down.
Status TreeGrowth::load(const CheckpointStore& trees, std::int64_t begin) {
  auto loaded =
      for_each_kept(trees, chain_, begin, [this](const TreeNode& node) { tree_.append(node); });
  if (!loaded.ok()) {
    return loaded;
  }
  if (kept_ > 0) {
    const auto last =
        trees.hashes(chain_, kBandLevels, kept_ / kTileLeaves - 1, kept_ / kTileLeaves - 1);
    if (!last.ok()) {
      return last.error();
    }
    last_tile_ = last->empty() ? std::string() : last->front();
  }
  return {};
}

Result<TreeGrowth::Step> TreeGrowth::grow() {
  Step step;
  const std::int64_t to = std::min(head_.seq, tree_.size() + kBatch);
  if (kept_ > head_.seq) {
    step.divergence = Divergence{head_.seq, Finding::checkpoint_mismatch, last_tile_, std::nullopt};
    return step;
  }
  auto tx = chains_.store().begin_snapshot();
  if (!tx.ok()) {
    return tx.error();
  }
  const auto done = chains_.walk_links(*tx, chain_, tree_.size() + 1, to, [&](const Link& link) {
    step.divergence = walk_.step(link);
    if (!step.divergence) {
      sort(tree_.append_entry(link.entry_hash), step);
    }
    return !step.divergence;
  });
  if (!done.ok()) {
    return done.error();
  }
  if (!step.divergence) {
    step.divergence =
        walk_.finish(to, to == head_.seq ? std::optional(head_.entry_hash) : std::nullopt);
  }
  return step;
}

void TreeGrowth::sort(std::vector<TreeNode> completed, Step& into) const {
  for (TreeNode& node : completed) {
    if (node.end() > kept_) {
      into.nodes.push_back(std::move(node));
    } else if (node.level == kBandLevels && node.hash != last_tile_) {
      into.divergence =
          Divergence{node.end(), Finding::checkpoint_mismatch, last_tile_, std::move(node.hash)};
      return;
    }
  }
}

}  // namespace plexsphere::audit
