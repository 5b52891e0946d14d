// A chain's Merkle tree while it grows, and the nodes of it that are kept: the roots of whole
// subtrees of 256, 256², … leaves, levels 8, 16, …
//
// Work and memory are O(log n): one hash list a band of eight levels. Value type, not thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "plexsphere/sdk/merkle.hpp"

namespace plexsphere::audit {

inline constexpr int kBandLevels = 8;
inline constexpr int kTopBand = 7;  // level 56: no chain comes so far
inline constexpr std::int64_t kTileLeaves = 256;

// The root of the whole subtree of leaves [index << level, (index + 1) << level).
struct TreeNode {
  int level = 0;  // 8, 16, …
  std::int64_t index = 0;
  std::string hash;

  // The first leaf that is no longer covered.
  [[nodiscard]] std::int64_t end() const { return (index + 1) << level; }
};

class TiledTree {
 public:
  TiledTree();

  // Appends a kept node; from the highest level down, before any entry. Throws std::logic_error
  // where it does not come next.
  void append(const TreeNode& node);
  // Appends the entry with this hash, and returns the nodes that became whole with it, from the
  // lowest up.
  std::vector<TreeNode> append_entry(std::string_view entry_hash);

  [[nodiscard]] std::int64_t size() const { return static_cast<std::int64_t>(whole_.size()); }
  [[nodiscard]] std::string root() const { return whole_.root(); }

 private:
  sdk::merkle::CompactRange whole_;
  std::vector<sdk::merkle::CompactRange> bands_;  // what is complete at level 8·b, less than a tile
};

}  // namespace plexsphere::audit
