#include "app/tiled_tree.hpp"

#include <stdexcept>

#include "app/digest.hpp"

namespace plexsphere::audit {
namespace {

using sdk::merkle::CompactRange;

}  // namespace

TiledTree::TiledTree() : whole_(&sha256), bands_(kTopBand + 1, CompactRange(&sha256)) {}

void TiledTree::append(const TreeNode& node) {
  if (node.index << node.level != size()) {
    throw std::logic_error("a kept node does not come next in its tree");
  }
  whole_.append_subtree(static_cast<unsigned>(node.level), node.hash);
  bands_.at(static_cast<std::size_t>(node.level / kBandLevels)).append(node.hash);
}

std::vector<TreeNode> TiledTree::append_entry(std::string_view entry_hash) {
  std::string hash = sdk::merkle::leaf_hash(&sha256, entry_hash);
  whole_.append(hash);
  std::vector<TreeNode> completed;
  int level = 0;
  for (CompactRange& band : bands_) {
    band.append(std::move(hash));
    level += kBandLevels;
    if (band.size() < kTileLeaves || level > kTopBand * kBandLevels) {
      break;
    }
    hash = band.root();
    band = CompactRange(&sha256);
    completed.push_back({level, (size() >> level) - 1, hash});
  }
  return completed;
}

}  // namespace plexsphere::audit
