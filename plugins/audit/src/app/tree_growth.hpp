// Grows the kept part of a chain's tree up to its head, entry by entry along the hash links, so
// that no checkpoint ever covers what is not a chain. (Filter columns are not hashed; the watch
// holds them against the bytes.)
//
// Each call of `grow` reads a bounded stretch in one transaction and hands out the nodes that
// became whole; the caller keeps them before it goes on. Starts a tile before the end of what is
// kept and holds that tile against the entries again. One thread, one chain.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "app/tiled_tree.hpp"
#include "app/verifier.hpp"
#include "store/checkpoint_store.hpp"

namespace plexsphere::audit {

class TreeGrowth {
 public:
  static constexpr std::int64_t kBatch = 16'384;  // entries of one read transaction

  // Reads the chain's head and the kept nodes. NOT_FOUND "chain_empty".
  static sdk::Result<TreeGrowth> begin(const AuditStore& chains, const CheckpointStore& trees,
                                       const sdk::Uuid& chain);

  struct Step {
    std::vector<TreeNode> nodes;           // new, to be kept
    std::optional<Divergence> divergence;  // the chain does not hold: nothing of it may be signed
  };
  // Requires !finished().
  sdk::Result<Step> grow();

  // At the head as it was at `begin`.
  [[nodiscard]] bool finished() const { return kept_ <= head_.seq && tree_.size() == head_.seq; }
  [[nodiscard]] std::int64_t size() const { return tree_.size(); }
  [[nodiscard]] std::string root() const { return tree_.root(); }

 private:
  TreeGrowth(const AuditStore& chains, sdk::Uuid chain, ChainHead head, std::int64_t kept,
             ChainWalk walk)
      : chains_(chains),
        chain_(chain),
        head_(std::move(head)),
        kept_(kept),
        walk_(std::move(walk)) {}

  sdk::Status load(const CheckpointStore& trees, std::int64_t begin);
  // Keeps apart what is new; holds the last kept tile against what it should be.
  void sort(std::vector<TreeNode> completed, Step& into) const;

  const AuditStore& chains_;
  sdk::Uuid chain_;
  ChainHead head_;
  std::int64_t kept_;      // leaves that the kept nodes cover
  std::string last_tile_;  // hash of the last kept node of level 8
  TiledTree tree_;
  ChainWalk walk_;
};

}  // namespace plexsphere::audit
