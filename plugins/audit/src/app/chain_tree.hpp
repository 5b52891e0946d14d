// The Merkle tree of a stored chain: roots and proofs, put together from its entries and the nodes
// that are kept. Nothing is trusted to be right here; who gets a proof checks it against a signed
// root.
//
// Thread-safe; blocks on the database: O(log n) reads of at most 256 hashes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "plexsphere/sdk/merkle.hpp"
#include "store/checkpoint_store.hpp"

namespace plexsphere::audit {

class ChainTree {
 public:
  explicit ChainTree(CheckpointStore store) : store_(std::move(store)) {}

  // Sizes up to the newest checkpoint's can be had, others perhaps. Nothing when entries or nodes
  // are missing, or `seq` or `from` lie outside; numbers from 1.
  sdk::Result<std::optional<std::string>> root(const sdk::Uuid& chain, std::int64_t size) const;
  sdk::Result<std::optional<sdk::merkle::Proof>> inclusion(const sdk::Uuid& chain, std::int64_t seq,
                                                           std::int64_t size) const;
  sdk::Result<std::optional<sdk::merkle::Proof>> consistency(const sdk::Uuid& chain,
                                                             std::int64_t from,
                                                             std::int64_t to) const;

 private:
  CheckpointStore store_;
};

}  // namespace plexsphere::audit
