#include "app/mint_rate.hpp"

#include <catch2/catch.hpp>

namespace plexsphere::identity {
namespace {

using namespace std::chrono_literals;

const auto kAda = *sdk::Uuid::parse("0197c0de-1111-7222-8333-444455556666");
const auto kBob = *sdk::Uuid::parse("0197c0de-1111-7222-8333-444455556667");

TEST_CASE("a burst is let through, then one for each interval, to each principal", "[identity]") {
  MintRate rate(60, 3);
  for (int i = 0; i < 3; ++i) {
    CHECK_FALSE(rate.refuse(kAda, 100s));
  }
  CHECK(rate.refuse(kAda, 100s) == std::optional<std::chrono::nanoseconds>(1s));
  CHECK(rate.refuse(kAda, 100s + 400ms) == std::optional<std::chrono::nanoseconds>(600ms));
  CHECK_FALSE(rate.refuse(kBob, 100s));
  CHECK_FALSE(rate.refuse(kAda, 101s));
  CHECK(rate.refuse(kAda, 101s));
  for (int i = 0; i < 3; ++i) {
    CHECK_FALSE(rate.refuse(kAda, 1000s));
  }
  CHECK(rate.refuse(kAda, 1000s));
}

TEST_CASE("a burst of one is a plain interval", "[identity]") {
  MintRate rate(30, 1);
  CHECK_FALSE(rate.refuse(kAda, 0s));
  CHECK(rate.refuse(kAda, 1s) == std::optional<std::chrono::nanoseconds>(1s));
  CHECK_FALSE(rate.refuse(kAda, 2s));
}

TEST_CASE("however many principals ask, the memory of them is bounded, and the busy stay bounded",
          "[identity]") {
  MintRate rate(1, 1);
  const auto fresh = [] { return sdk::Uuid::v7(0); };
  for (std::size_t i = 0; i < MintRate::kCapacity - 1; ++i) {
    (void)rate.refuse(fresh(), 0s);
  }
  CHECK_FALSE(rate.refuse(kAda, 30s));
  CHECK_FALSE(rate.refuse(fresh(), 61s));  // those of 0s are full again, and make room
  CHECK(rate.refuse(kAda, 61s));
}

}  // namespace
}  // namespace plexsphere::identity
