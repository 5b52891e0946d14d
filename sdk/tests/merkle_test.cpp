// Merkle trees against RFC 6962's definitions, written down a second time and naively, and against
// the roots that Certificate Transparency's implementations share.
#include "plexsphere/sdk/merkle.hpp"

#include <sodium.h>

#include <catch2/catch.hpp>

#include "plexsphere/sdk/encoding.hpp"

namespace merkle = plexsphere::sdk::merkle;
namespace sdk = plexsphere::sdk;
using merkle::Proof;

namespace {

std::string sha256(std::string_view bytes) {
  std::string out(crypto_hash_sha256_BYTES, '\0');
  crypto_hash_sha256(reinterpret_cast<unsigned char*>(out.data()),
                     reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
  return out;
}

using Leaves = std::vector<std::string>;

// MTH(D) of RFC 6962 §2.1, word for word: the reference.
std::string naive_root(const Leaves& leaves) {
  if (leaves.empty()) {
    return sha256("");
  }
  if (leaves.size() == 1) {
    return sha256(std::string(1, '\0') + leaves[0]);
  }
  std::size_t k = 1;
  while (k * 2 < leaves.size()) {
    k *= 2;
  }
  const auto middle = leaves.begin() + static_cast<std::ptrdiff_t>(k);
  return sha256("\1" + naive_root({leaves.begin(), middle}) + naive_root({middle, leaves.end()}));
}

Leaves first(const Leaves& leaves, std::size_t count) {
  return {leaves.begin(), leaves.begin() + static_cast<std::ptrdiff_t>(count)};
}

// Roots of whole subtrees, from the leaves themselves.
merkle::Subtree subtrees_of(const Leaves& leaves) {
  return [&leaves](unsigned level, std::uint64_t index) -> std::optional<std::string> {
    const std::uint64_t begin = index << level;
    const std::uint64_t end = (index + 1) << level;
    if (end > leaves.size()) {
      return std::nullopt;
    }
    return naive_root({leaves.begin() + static_cast<std::ptrdiff_t>(begin),
                       leaves.begin() + static_cast<std::ptrdiff_t>(end)});
  };
}

Leaves numbered(std::size_t count) {
  Leaves out;
  for (std::size_t i = 0; i < count; ++i) {
    out.push_back(sha256("entry " + std::to_string(i)));
  }
  return out;
}

std::string grown_root(const Leaves& leaves) {
  merkle::CompactRange range(&sha256);
  for (const std::string& leaf : leaves) {
    range.append(merkle::leaf_hash(&sha256, leaf));
  }
  return range.root();
}

// The proof with one thing about it changed, in every way.
std::vector<Proof> mutations(const Proof& proof) {
  std::vector<Proof> out;
  for (std::size_t i = 0; i < proof.size(); ++i) {
    Proof flipped = proof;
    flipped[i][i % 32] = static_cast<char>(flipped[i][i % 32] ^ 1);
    out.push_back(flipped);
    Proof without = proof;
    without.erase(without.begin() + static_cast<std::ptrdiff_t>(i));
    out.push_back(without);
    Proof twice = proof;
    twice.insert(twice.begin() + static_cast<std::ptrdiff_t>(i), proof[i]);
    out.push_back(twice);
    Proof cut = proof;
    cut[i].pop_back();
    out.push_back(cut);
    if (i > 0 && proof[i] != proof[i - 1]) {
      Proof swapped = proof;
      std::swap(swapped[i], swapped[i - 1]);
      out.push_back(swapped);
    }
  }
  Proof longer = proof;
  longer.push_back(sha256("more"));
  out.push_back(longer);
  out.emplace_back(65, sha256("far too long"));
  return out;
}

}  // namespace

TEST_CASE("the roots that Certificate Transparency's logs are tested with", "[sdk][merkle]") {
  Leaves leaves;
  for (const char* hex : {"", "00", "10", "2021", "3031", "40414243", "5051525354555657",
                          "606162636465666768696a6b6c6d6e6f"}) {
    leaves.push_back(*sdk::hex_decode(hex));
  }
  const char* roots[] = {"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
                         "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
                         "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
                         "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
                         "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
                         "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
                         "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
                         "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
                         "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};
  for (std::size_t n = 0; n <= 8; ++n) {
    INFO(n);
    CHECK(sdk::hex_encode(grown_root(first(leaves, n))) == roots[n]);
    CHECK(sdk::hex_encode(naive_root(first(leaves, n))) == roots[n]);
  }
}

TEST_CASE("a tree grown leaf by leaf, or by whole subtrees, has the root of the definition",
          "[sdk][merkle]") {
  const Leaves leaves = numbered(130);
  for (std::size_t n = 0; n <= leaves.size(); ++n) {
    const Leaves some = first(leaves, n);
    REQUIRE(grown_root(some) == naive_root(some));
    REQUIRE(merkle::root(&sha256, n, subtrees_of(some)) == naive_root(some));
  }
  merkle::CompactRange range(&sha256);
  range.append_subtree(6, naive_root(first(leaves, 64)));
  range.append_subtree(6, naive_root({leaves.begin() + 64, leaves.begin() + 128}));
  range.append(merkle::leaf_hash(&sha256, leaves[128]));
  CHECK(range.size() == 129);
  CHECK(range.root() == naive_root(first(leaves, 129)));
  CHECK_THROWS_AS(range.append_subtree(1, sha256("")), std::logic_error);
  CHECK_THROWS_AS(range.append_subtree(62, sha256("")), std::logic_error);
  CHECK_THROWS_AS(range.append_subtree(64, sha256("")), std::logic_error);
}

TEST_CASE("every leaf of every tree up to 64 is proved to be in it, and nowhere else",
          "[sdk][merkle]") {
  const Leaves leaves = numbered(64);
  for (std::size_t n = 1; n <= leaves.size(); ++n) {
    const Leaves tree = first(leaves, n);
    const std::string root = naive_root(tree);
    const auto subtrees = subtrees_of(tree);
    for (std::size_t m = 0; m < n; ++m) {
      const auto proof = merkle::inclusion_proof(&sha256, m, n, subtrees);
      const std::string leaf = merkle::leaf_hash(&sha256, leaves[m]);
      REQUIRE(proof);
      REQUIRE(merkle::verify_inclusion(&sha256, leaf, m, n, *proof, root));
      REQUIRE_FALSE(merkle::verify_inclusion(&sha256, leaf, m + 1, n, *proof, root));
      REQUIRE_FALSE(merkle::verify_inclusion(&sha256, leaves[m], m, n, *proof, root));
      REQUIRE_FALSE(merkle::verify_inclusion(&sha256, leaf, m, n, *proof, sha256("other")));
      for (const Proof& wrong : mutations(*proof)) {
        REQUIRE_FALSE(merkle::verify_inclusion(&sha256, leaf, m, n, wrong, root));
      }
    }
    REQUIRE_FALSE(merkle::inclusion_proof(&sha256, n, n, subtrees));
  }
}

TEST_CASE("every tree up to 64 is proved to begin with every smaller one", "[sdk][merkle]") {
  const Leaves leaves = numbered(64);
  for (std::size_t n = 1; n <= leaves.size(); ++n) {
    const Leaves tree = first(leaves, n);
    const std::string root = naive_root(tree);
    const auto subtrees = subtrees_of(tree);
    for (std::size_t m = 1; m <= n; ++m) {
      const std::string old_root = naive_root(first(leaves, m));
      const auto proof = merkle::consistency_proof(&sha256, m, n, subtrees);
      REQUIRE(proof);
      REQUIRE(merkle::verify_consistency(&sha256, m, n, *proof, old_root, root));
      REQUIRE_FALSE(merkle::verify_consistency(&sha256, m, n, *proof, sha256("other"), root));
      REQUIRE_FALSE(merkle::verify_consistency(&sha256, m, n, *proof, old_root, sha256("other")));
      for (const Proof& wrong : mutations(*proof)) {
        REQUIRE_FALSE(merkle::verify_consistency(&sha256, m, n, wrong, old_root, root));
      }
    }
    REQUIRE_FALSE(merkle::consistency_proof(&sha256, n + 1, n, subtrees));
    REQUIRE_FALSE(merkle::consistency_proof(&sha256, 0, n, subtrees));
  }
}

TEST_CASE("a tree that changed what it had is not consistent with it", "[sdk][merkle]") {
  const Leaves leaves = numbered(23);
  Leaves forged = leaves;
  forged[4] = sha256("another entry");
  const auto proof = merkle::consistency_proof(&sha256, 9, 23, subtrees_of(forged));
  REQUIRE(proof);
  CHECK_FALSE(merkle::verify_consistency(&sha256, 9, 23, *proof, naive_root(first(leaves, 9)),
                                         naive_root(forged)));
}

TEST_CASE("sizes that no tree has are refused, not computed", "[sdk][merkle]") {
  const auto none = [](unsigned, std::uint64_t) { return std::optional<std::string>(); };
  const std::uint64_t beyond = merkle::kMostLeaves + 1;
  CHECK_FALSE(merkle::inclusion_proof(&sha256, 0, beyond, none));
  CHECK_FALSE(merkle::consistency_proof(&sha256, 1, beyond, none));
  CHECK_FALSE(merkle::inclusion_proof(&sha256, 1, 3, none));
  CHECK_FALSE(merkle::verify_inclusion(&sha256, "", 0, 0, {}, sha256("")));
  CHECK_FALSE(merkle::verify_inclusion(&sha256, "", 0, ~std::uint64_t{0}, {}, ""));
  CHECK_FALSE(merkle::verify_consistency(&sha256, 0, 5, {}, "", ""));
  CHECK_FALSE(merkle::verify_consistency(&sha256, 1, ~std::uint64_t{0}, {}, "", ""));
  CHECK_FALSE(merkle::verify_consistency(&sha256, 6, 5, {}, "", ""));
}
