// Single bits: every one of three entries, of the head and of a checkpoint, and one of every other
// entry. Every bit of every entry is `./dev soak tamper`.
#include <array>
#include <catch2/catch.hpp>

#include "tamper/bits.hpp"

namespace plexsphere::tamper {
namespace {

constexpr std::array<std::int64_t, 3> kEntries{1, 501, 613};  // the first, a plain one, a full one

void check(const Tally& tally, std::uint64_t least) {
  for (const std::string& missed : tally.told) {
    UNSCOPED_INFO(missed);
  }
  CHECK(tally.missed == 0);
  CHECK(tally.turned >= least);
}

}  // namespace

TEST_CASE("every bit of three entries is found where it is", "[audit][pg][tamper]") {
  for (const std::int64_t seq : kEntries) {
    check(turn_stored(site(), seq, seq), 3'000);
  }
}

TEST_CASE("a bit of every entry, turned in the database, is found where it is",
          "[audit][pg][tamper]") {
  check(turn_one_of_each(site(), 1), Origin::kEntries);
  CHECK(site().look() == Verdicts{});
}

TEST_CASE("every bit of the head is found", "[audit][pg][tamper]") {
  check(turn_head(site()), 256 + 64);
  CHECK(site().look() == Verdicts{});
}

TEST_CASE("every bit that vouches for a checkpoint, or is vouched for by it, is found",
          "[audit][pg][tamper]") {
  check(turn_checkpoint(site(), site().checkpoints()[1]), 2'000);
  CHECK(site().look() == Verdicts{});
}

TEST_CASE("every bit of three lines of an export is found", "[audit][pg][tamper]") {
  for (const std::int64_t seq : kEntries) {
    const auto line = static_cast<std::size_t>(seq);
    check(turn_exported(site().origin(), line, line), 5'000);
  }
}

TEST_CASE("every bit of an export's checkpoints is found", "[audit][pg][tamper]") {
  check(turn_exported_notes(site().origin()), 10'000);
}

TEST_CASE("every bit of what an export says about itself is found", "[audit][pg][tamper]") {
  check(turn_exported_about(site().origin()), 800);
}

}  // namespace plexsphere::tamper
