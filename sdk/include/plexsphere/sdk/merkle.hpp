// Merkle trees as RFC 6962 §2.1 defines them (RFC 9162 §2.1 the same), over leaves that are entry
// hashes: root, inclusion proof and consistency proof, made and verified.
//
//   leaf = sha256(0x00 ‖ entry)      node = sha256(0x01 ‖ left ‖ right)      empty tree =
//   sha256("")
//
// Hashes are 32 raw bytes. SHA-256 is handed in, so this links nothing: the core's contexts and an
// offline verifier use the same lines. Verifying trusts nothing that it is given; making a proof
// asks for the roots of whole subtrees, of which it needs O(log n).
//
// Thread safety: pure functions and a value type.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace plexsphere::sdk::inline v1::merkle {

inline constexpr std::size_t kHashSize = 32;
// A tree has at most 2^62 leaves, so that no size or index overflows, and a proof at most 64
// hashes.
inline constexpr std::uint64_t kMostLeaves = std::uint64_t{1} << 62;
inline constexpr std::size_t kLongestProof = 64;

// SHA-256 (FIPS 180-4) of the bytes: 32 raw bytes.
using Sha256 = std::string (*)(std::string_view);
using Proof = std::vector<std::string>;

inline std::string leaf_hash(Sha256 sha256, std::string_view entry) {
  std::string bytes(1, '\0');
  bytes += entry;
  return sha256(bytes);
}

inline std::string node_hash(Sha256 sha256, std::string_view left, std::string_view right) {
  std::string bytes(1, '\1');
  bytes += left;
  bytes += right;
  return sha256(bytes);
}

// What is left to remember of a tree that only grows: the roots of its whole subtrees from left to
// right, one for each set bit of its size.
class CompactRange {
 public:
  explicit CompactRange(Sha256 sha256) : sha256_(sha256) {}
  // Of `size` leaves by those roots. Throws std::logic_error where they are not so many.
  CompactRange(Sha256 sha256, std::uint64_t size, std::vector<std::string> peaks)
      : sha256_(sha256), size_(size), peaks_(std::move(peaks)) {
    if (static_cast<std::size_t>(std::popcount(size)) != peaks_.size() || size > kMostLeaves) {
      throw std::logic_error("these are not the whole subtrees of a Merkle tree of this size");
    }
  }

  std::uint64_t size() const { return size_; }
  const std::vector<std::string>& peaks() const { return peaks_; }

  void append(std::string leaf) { append_subtree(0, std::move(leaf)); }

  // Appends a whole subtree of 2^level leaves by its root. Throws std::logic_error where the size
  // is no multiple of that, or the tree would have more than kMostLeaves.
  void append_subtree(unsigned level, std::string root) {
    const std::uint64_t leaves = level < 62 ? std::uint64_t{1} << level : 0;
    if (leaves == 0 || size_ % leaves != 0 || size_ > kMostLeaves - leaves) {
      throw std::logic_error("a subtree does not fit at this size of a Merkle tree");
    }
    for (std::uint64_t bits = size_ >> level; (bits & 1U) != 0; bits >>= 1U) {
      root = node_hash(sha256_, peaks_.back(), root);
      peaks_.pop_back();
    }
    peaks_.push_back(std::move(root));
    size_ += leaves;
  }

  std::string root() const {
    if (peaks_.empty()) {
      return sha256_({});
    }
    std::string out = peaks_.back();
    for (std::size_t i = peaks_.size() - 1; i > 0; --i) {
      out = node_hash(sha256_, peaks_[i - 1], out);
    }
    return out;
  }

 private:
  Sha256 sha256_;
  std::uint64_t size_ = 0;
  std::vector<std::string> peaks_;
};

// The root of the whole subtree of leaves [index << level, (index + 1) << level), or nothing when
// it cannot be had; then there is no proof.
using Subtree = std::function<std::optional<std::string>(unsigned level, std::uint64_t index)>;

namespace detail {

// The largest power of two below `size`, which is at least 2.
inline std::uint64_t split_of(std::uint64_t size) {
  return std::bit_floor(size - 1);
}

// The root over [begin, begin + size), size at least 1. In every range that a proof asks for, each
// power of two that it splits into is aligned to itself.
inline std::optional<std::string> range_root(Sha256 sha256, const Subtree& subtree,
                                             std::uint64_t begin, std::uint64_t size) {
  if (std::has_single_bit(size)) {
    const auto level = static_cast<unsigned>(std::countr_zero(size));
    return subtree(level, begin >> level);
  }
  const std::uint64_t split = split_of(size);
  const auto left = range_root(sha256, subtree, begin, split);
  const auto right = left ? range_root(sha256, subtree, begin + split, size - split) : std::nullopt;
  return right ? std::optional(node_hash(sha256, *left, *right)) : std::nullopt;
}

}  // namespace detail

// The root of the first `size` leaves.
inline std::optional<std::string> root(Sha256 sha256, std::uint64_t size, const Subtree& subtree) {
  return size == 0 ? std::optional(sha256({})) : detail::range_root(sha256, subtree, 0, size);
}

// PATH(index, D[size]) of RFC 6962 §2.1.1: from the leaf up. Nothing unless index < size.
inline std::optional<Proof> inclusion_proof(Sha256 sha256, std::uint64_t index, std::uint64_t size,
                                            const Subtree& subtree) {
  if (index >= size || size > kMostLeaves) {
    return std::nullopt;
  }
  Proof from_the_top;
  std::uint64_t begin = 0;
  while (size > 1) {
    const std::uint64_t split = detail::split_of(size);
    const bool is_left = index < begin + split;
    auto sibling = is_left ? detail::range_root(sha256, subtree, begin + split, size - split)
                           : detail::range_root(sha256, subtree, begin, split);
    if (!sibling) {
      return std::nullopt;
    }
    from_the_top.push_back(std::move(*sibling));
    begin += is_left ? 0 : split;
    size = is_left ? split : size - split;
  }
  return Proof(from_the_top.rbegin(), from_the_top.rend());
}

// PROOF(from, D[to]) of RFC 6962 §2.1.2. Nothing unless 1 <= from <= to; empty where they are
// equal.
inline std::optional<Proof> consistency_proof(Sha256 sha256, std::uint64_t from, std::uint64_t to,
                                              const Subtree& subtree) {
  if (from == 0 || from > to || to > kMostLeaves) {
    return std::nullopt;
  }
  Proof from_the_top;
  std::uint64_t begin = 0;
  std::uint64_t size = to;
  bool is_old_root = true;  // whether [begin, begin + size) is still what the old tree was
  while (begin + size != from) {
    const std::uint64_t split = detail::split_of(size);
    const bool is_left = from <= begin + split;
    auto sibling = is_left ? detail::range_root(sha256, subtree, begin + split, size - split)
                           : detail::range_root(sha256, subtree, begin, split);
    if (!sibling) {
      return std::nullopt;
    }
    from_the_top.push_back(std::move(*sibling));
    is_old_root = is_old_root && is_left;
    begin += is_left ? 0 : split;
    size = is_left ? split : size - split;
  }
  if (!is_old_root) {
    auto own = detail::range_root(sha256, subtree, begin, size);
    if (!own) {
      return std::nullopt;
    }
    from_the_top.push_back(std::move(*own));
  }
  return Proof(from_the_top.rbegin(), from_the_top.rend());
}

// RFC 9162 §2.1.3.2: that the leaf (its leaf hash) is number `index`, from 0, of the tree of `size`
// leaves with this root.
inline bool verify_inclusion(Sha256 sha256, std::string_view leaf, std::uint64_t index,
                             std::uint64_t size, const Proof& proof, std::string_view root) {
  if (index >= size || size > kMostLeaves || proof.size() > kLongestProof) {
    return false;
  }
  std::uint64_t node = index;
  std::uint64_t last = size - 1;
  std::string hash(leaf);
  for (const std::string& sibling : proof) {
    if (last == 0 || sibling.size() != kHashSize) {
      return false;
    }
    if ((node & 1U) != 0 || node == last) {
      hash = node_hash(sha256, sibling, hash);
      while ((node & 1U) == 0 && node != 0) {
        node >>= 1U;
        last >>= 1U;
      }
    } else {
      hash = node_hash(sha256, hash, sibling);
    }
    node >>= 1U;
    last >>= 1U;
  }
  return last == 0 && hash == root;
}

// RFC 9162 §2.1.4.2: that the tree of `to` leaves begins with the tree of `from` leaves, from >= 1.
inline bool verify_consistency(Sha256 sha256, std::uint64_t from, std::uint64_t to,
                               const Proof& proof, std::string_view from_root,
                               std::string_view to_root) {
  if (from == 0 || from > to || to > kMostLeaves || proof.size() > kLongestProof) {
    return false;
  }
  if (from == to) {
    return proof.empty() && from_root == to_root;
  }
  // A tree whose size is a power of two is a node of the later one, and left out of the proof.
  const bool is_whole = std::has_single_bit(from);
  if (!is_whole && (proof.empty() || proof.front().size() != kHashSize)) {
    return false;
  }
  std::uint64_t node = from - 1;
  std::uint64_t last = to - 1;
  while ((node & 1U) != 0) {
    node >>= 1U;
    last >>= 1U;
  }
  std::string old_hash(is_whole ? from_root : std::string_view(proof.front()));
  std::string new_hash = old_hash;
  for (std::size_t i = is_whole ? 0 : 1; i < proof.size(); ++i) {
    const std::string& sibling = proof[i];
    if (last == 0 || sibling.size() != kHashSize) {
      return false;
    }
    if ((node & 1U) != 0 || node == last) {
      old_hash = node_hash(sha256, sibling, old_hash);
      new_hash = node_hash(sha256, sibling, new_hash);
      while ((node & 1U) == 0 && node != 0) {
        node >>= 1U;
        last >>= 1U;
      }
    } else {
      new_hash = node_hash(sha256, new_hash, sibling);
    }
    node >>= 1U;
    last >>= 1U;
  }
  return last == 0 && old_hash == from_root && new_hash == to_root;
}

}  // namespace plexsphere::sdk::inline v1::merkle
