#include "app/chain_tree.hpp"

#include <utility>

#include "app/digest.hpp"

namespace plexsphere::audit {
namespace {

using sdk::Result;
using sdk::Uuid;
using sdk::merkle::CompactRange;
using sdk::merkle::Proof;

// Roots of whole subtrees of one chain, and the first fault of the database in getting them.
class Reader {
 public:
  Reader(const CheckpointStore& store, const Uuid& chain) : store_(store), chain_(chain) {}

  sdk::merkle::Subtree subtrees() {
    return [this](unsigned level, std::uint64_t index) { return subtree(level, index); };
  }

  template <typename Value>
  Result<std::optional<Value>> outcome(std::optional<Value> value) const {
    return fault_ ? Result<std::optional<Value>>(*fault_)
                  : Result<std::optional<Value>>(std::move(value));
  }

 private:
  // From the nodes kept at the highest level that is not above it: itself, or up to 128 of them.
  std::optional<std::string> subtree(unsigned level, std::uint64_t index) {
    const unsigned kept = level - level % kBandLevels;
    const std::uint64_t count = std::uint64_t{1} << (level - kept);
    const auto first = static_cast<std::int64_t>(index * count);
    auto hashes = store_.hashes(chain_, static_cast<int>(kept), first,
                                first + static_cast<std::int64_t>(count) - 1);
    if (!hashes.ok()) {
      fault_ = hashes.error();
      return std::nullopt;
    }
    if (hashes->size() != count) {
      return std::nullopt;
    }
    CompactRange range(&sha256);
    for (const std::string& hash : *hashes) {
      range.append(kept == 0 ? sdk::merkle::leaf_hash(&sha256, hash) : hash);
    }
    return range.root();
  }

  const CheckpointStore& store_;
  const Uuid& chain_;
  std::optional<sdk::Error> fault_;
};

std::uint64_t unsigned_of(std::int64_t number) {
  return static_cast<std::uint64_t>(number);
}

}  // namespace

Result<std::optional<std::string>> ChainTree::root(const Uuid& chain, std::int64_t size) const {
  Reader reader(store_, chain);
  return reader.outcome(
      size < 1 ? std::nullopt : sdk::merkle::root(&sha256, unsigned_of(size), reader.subtrees()));
}

Result<std::optional<Proof>> ChainTree::inclusion(const Uuid& chain, std::int64_t seq,
                                                  std::int64_t size) const {
  Reader reader(store_, chain);
  return reader.outcome(seq < 1 || size < 1
                            ? std::nullopt
                            : sdk::merkle::inclusion_proof(&sha256, unsigned_of(seq - 1),
                                                           unsigned_of(size), reader.subtrees()));
}

Result<std::optional<Proof>> ChainTree::consistency(const Uuid& chain, std::int64_t from,
                                                    std::int64_t to) const {
  Reader reader(store_, chain);
  return reader.outcome(from < 1 || to < 1
                            ? std::nullopt
                            : sdk::merkle::consistency_proof(&sha256, unsigned_of(from),
                                                             unsigned_of(to), reader.subtrees()));
}

}  // namespace plexsphere::audit
