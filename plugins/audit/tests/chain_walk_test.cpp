#include "domain/chain_walk.hpp"

#include <catch2/catch.hpp>
#include <vector>

#include "app/digest.hpp"

namespace plexsphere::audit {
namespace {

const std::string kHead = "{\"v\":1,\"chain\":\"c\",\"seq\":";
const std::string kGenesis(32, '\0');

struct Stored {
  std::int64_t seq;
  std::string prev;
  std::string hash;
  std::string canonical;
  bool columns_match = true;
};

std::vector<Stored> sound_chain(int entries) {
  std::vector<Stored> chain;
  std::string prev = kGenesis;
  for (int seq = 1; seq <= entries; ++seq) {
    const std::string canonical = kHead + std::to_string(seq) + ",\"x\":" + std::to_string(seq);
    chain.push_back({seq, prev, entry_hash(prev, canonical), canonical});
    prev = chain.back().hash;
  }
  return chain;
}

std::optional<Divergence> walk(const std::vector<Stored>& chain, std::int64_t from = 1,
                               std::optional<std::string> predecessor = std::nullopt) {
  ChainWalk it(&entry_hash, kHead, from, std::move(predecessor));
  for (const Stored& entry : chain) {
    if (auto found =
            it.step({entry.seq, entry.prev, entry.hash, entry.canonical, entry.columns_match})) {
      return found;
    }
  }
  return it.finish(3, sound_chain(3).back().hash);
}

TEST_CASE("a sound chain has no divergence", "[audit]") {
  CHECK_FALSE(walk(sound_chain(3)));
  auto segment = sound_chain(3);
  segment.erase(segment.begin());
  CHECK_FALSE(walk(segment, 2, sound_chain(1).front().hash));
  CHECK_FALSE(walk(segment, 2));  // the entry before has been archived
}

TEST_CASE("changed bytes show as a hash mismatch with both hashes", "[audit]") {
  auto chain = sound_chain(3);
  chain[1].canonical.back() = '9';
  const auto found = walk(chain);
  REQUIRE(found);
  CHECK(found->seq == 2);
  CHECK(found->finding == Finding::hash_mismatch);
  CHECK(found->observed == chain[1].hash);
  CHECK(found->expected == entry_hash(chain[1].prev, chain[1].canonical));
}

TEST_CASE("a row rewritten with a fitting hash breaks the link of the next", "[audit]") {
  auto chain = sound_chain(3);
  chain[1].canonical.back() = '9';
  chain[1].hash = entry_hash(chain[1].prev, chain[1].canonical);
  const auto found = walk(chain);
  REQUIRE(found);
  CHECK(found->seq == 3);
  CHECK(found->finding == Finding::broken_link);
}

TEST_CASE("a gap and a cut tail are missing entries", "[audit]") {
  auto gap = sound_chain(3);
  gap.erase(gap.begin() + 1);
  CHECK(walk(gap)->seq == 2);
  CHECK(walk(gap)->finding == Finding::missing_entry);
  const auto cut = walk(sound_chain(2));
  REQUIRE(cut);
  CHECK(cut->seq == 3);
  CHECK(cut->finding == Finding::missing_entry);
  CHECK_FALSE(cut->expected);
}

TEST_CASE("a number that is there twice is named, whatever the second entry is", "[audit]") {
  auto twice = sound_chain(3);
  twice.insert(twice.begin() + 1, twice[1]);
  const auto found = walk(twice);
  REQUIRE(found);
  CHECK(found->seq == 2);
  CHECK(found->finding == Finding::duplicate_entry);
}

TEST_CASE("filter columns and an entry's own number are held against its bytes", "[audit]") {
  auto columns = sound_chain(3);
  columns[2].columns_match = false;
  CHECK(walk(columns)->finding == Finding::content_differs);

  // Every hash fits, but the second entry calls itself the third.
  auto moved = sound_chain(1);
  const std::string canonical = kHead + "3,\"x\":2";
  moved.push_back({2, moved[0].hash, entry_hash(moved[0].hash, canonical), canonical});
  const auto found = walk(moved);
  REQUIRE(found);
  CHECK(found->seq == 2);
  CHECK(found->finding == Finding::content_differs);
}

TEST_CASE("the last entry is held against the chain's head", "[audit]") {
  auto chain = sound_chain(2);
  const std::string canonical = kHead + "3,\"x\":7";
  chain.push_back({3, chain[1].hash, entry_hash(chain[1].hash, canonical), canonical});
  const auto found = walk(chain);
  REQUIRE(found);
  CHECK(found->seq == 3);
  CHECK(found->finding == Finding::head_mismatch);
}

}  // namespace
}  // namespace plexsphere::audit
