#include "domain/key_set.hpp"

#include <catch2/catch.hpp>

namespace plexsphere::signing {
namespace {

using std::chrono::seconds;

const UnixSeconds kStart{seconds(1767225600)};
constexpr seconds kOverlap = std::chrono::days(7);

Scope domain() {
  return Scope::parse("domain:0190a8b8-a0c0-7a0a-8a0a-a0a0a0a0a0a3").value();
}

KeyEntry key(std::string id) {
  KeyEntry entry;
  entry.key_id = std::move(id);
  return entry;
}

KeySet first() {
  return KeySet(domain()).open(key("k1"), kStart, kOverlap).value();
}
KeySet rotating() {
  return first().open(key("k2"), kStart + seconds(5), kOverlap).value();
}

TEST_CASE("the first key of a scope is active at once and opens no rotation", "[signing]") {
  const KeySet empty(domain());
  CHECK(empty.number() == 0);
  CHECK(empty.active().fault().kind == FaultKind::kKeyNotFound);
  const KeySet set = first();
  CHECK(set.number() == 1);
  CHECK(set.active().value().key_id == "k1");
  CHECK(set.active().value().valid_from == kStart);
  CHECK_FALSE(set.rotation());
}

TEST_CASE("while a rotation is open the new key signs and the old one still may", "[signing]") {
  const KeySet set = rotating();
  CHECK(set.number() == 2);
  CHECK(set.signing_key("").value().key_id == "k2");
  CHECK(set.signing_key("k1").value().state == KeyState::kRotating);
  REQUIRE(set.rotation());
  CHECK(*set.rotation() ==
        Rotation{"k1", "k2", kStart + seconds(5), kStart + seconds(5) + kOverlap});
}

TEST_CASE("a second rotation is refused while one is open", "[signing]") {
  CHECK(rotating().open(key("k3"), kStart, kOverlap).fault().kind ==
        FaultKind::kRotationInProgress);
}

TEST_CASE("a rotation closes when its window has passed, and earlier only by force", "[signing]") {
  const KeySet set = rotating();
  const UnixSeconds closes_at = set.rotation()->closes_at;
  CHECK(set.close("k1", "k2", closes_at - seconds(1), false).fault().kind ==
        FaultKind::kRotationInProgress);
  CHECK(set.close("k1", "k2", kStart + seconds(6), true).ok());
  const KeySet closed = set.close("k1", "k2", closes_at, false).value();
  CHECK(closed.number() == 3);
  CHECK_FALSE(closed.rotation());
  CHECK(closed.find("k1").value().state == KeyState::kRetired);
  CHECK(closed.find("k1").value().valid_until == closes_at);
  CHECK(closed.signing_key("k1").fault().kind == FaultKind::kKeyRetired);
  CHECK(closed.signing_key("").value().key_id == "k2");
  CHECK(closed.close("k1", "k2", closes_at, false).value() == closed);
}

TEST_CASE("closing names the keys of the open rotation", "[signing]") {
  const KeySet set = rotating();
  CHECK(set.close("k0", "k2", kStart, true).fault().kind == FaultKind::kKeyNotFound);
  CHECK(set.close("k1", "k9", kStart, true).fault().kind == FaultKind::kKeyNotFound);
  CHECK(set.close("k2", "k1", kStart, true).fault().kind == FaultKind::kInvariantViolation);
  CHECK(first().close("k1", "k1", kStart, true).fault().kind == FaultKind::kInvariantViolation);
}

TEST_CASE("key ids are never used twice in a scope", "[signing]") {
  CHECK(first().open(key("k1"), kStart, kOverlap).fault().kind == FaultKind::kInvariantViolation);
  CHECK(first().open(key("k 2"), kStart, kOverlap).fault().kind == FaultKind::kInvariantViolation);
}

TEST_CASE("a scope holds at most 128 keys", "[signing]") {
  KeySet set = first();
  for (std::size_t i = 2; i <= kMaxKeys; ++i) {
    const std::string id = "n" + std::to_string(i);
    const std::string previous = set.active().value().key_id;
    set = set.open(key(id), kStart, kOverlap).value();
    set = set.close(previous, id, kStart, true).value();
  }
  CHECK(set.keys().size() == kMaxKeys);
  CHECK(set.open(key("more"), kStart, kOverlap).fault().kind == FaultKind::kInvariantViolation);
}

TEST_CASE("a key set that breaks an invariant cannot be rebuilt", "[signing]") {
  const KeySet set = rotating();
  const std::vector<KeyEntry> keys = set.keys();
  CHECK(KeySet::restore(domain(), 2, keys, set.rotation()).value() == set);
  CHECK_FALSE(KeySet::restore(domain(), 0, keys, set.rotation()).ok());
  CHECK_FALSE(KeySet::restore(domain(), 2, {}, std::nullopt).ok());
  CHECK_FALSE(KeySet::restore(domain(), 2, keys, std::nullopt).ok());
  CHECK_FALSE(KeySet::restore(domain(), 2, {keys[0], keys[0]}, set.rotation()).ok());
  CHECK_FALSE(KeySet::restore(domain(), 2, {keys[1], keys[1]}, std::nullopt).ok());
  Rotation backwards{"k2", "k1", kStart, kStart};
  CHECK_FALSE(KeySet::restore(domain(), 2, keys, backwards).ok());
}

}  // namespace
}  // namespace plexsphere::signing
