// The tree as it is kept: against one that is grown leaf by leaf.
#include "app/tiled_tree.hpp"

#include <catch2/catch.hpp>
#include <map>

#include "app/digest.hpp"

namespace plexsphere::audit {
namespace {

using sdk::merkle::CompactRange;

std::string entry(int number) {
  return sha256("entry " + std::to_string(number));
}

// What the nodes are checked with: the root over entries [begin, end), grown by itself.
std::string root_over(int begin, int end) {
  CompactRange range(&sha256);
  for (int i = begin; i < end; ++i) {
    range.append(sdk::merkle::leaf_hash(&sha256, entry(i)));
  }
  return range.root();
}

}  // namespace

TEST_CASE("a node is handed out with the entry that completes it, once", "[audit][checkpoint]") {
  TiledTree tree;
  std::map<std::pair<int, std::int64_t>, std::string> nodes;
  constexpr int kEntries = 256 * 256 + 300;
  for (int i = 0; i < kEntries; ++i) {
    for (const TreeNode& node : tree.append_entry(entry(i))) {
      REQUIRE(node.end() == i + 1);
      REQUIRE(nodes.emplace(std::pair(node.level, node.index), node.hash).second);
    }
  }
  CHECK(nodes.size() == 257 + 1);
  CHECK(nodes.at({8, 0}) == root_over(0, 256));
  CHECK(nodes.at({8, 256}) == root_over(65536, 65792));
  CHECK(nodes.at({16, 0}) == root_over(0, 65536));
  CHECK(tree.size() == kEntries);
  CHECK(tree.root() == root_over(0, kEntries));

  // Begun again from what was kept, it goes on as if it had never stopped.
  TiledTree again;
  again.append({16, 0, nodes.at({16, 0})});
  again.append({8, 256, nodes.at({8, 256})});
  CHECK_THROWS_AS(again.append({8, 256, nodes.at({8, 256})}), std::logic_error);
  for (int i = 65792; i < kEntries; ++i) {
    CHECK(again.append_entry(entry(i)).empty());
  }
  CHECK(again.root() == tree.root());
}

}  // namespace plexsphere::audit
