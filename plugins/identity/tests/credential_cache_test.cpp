#include "app/credential_cache.hpp"

#include <catch2/catch.hpp>

namespace plexsphere::identity {
namespace {

using std::chrono::milliseconds;

TEST_CASE("a cached fact is gone after its time, however often it was asked for", "[identity]") {
  CredentialCache<int> cache(milliseconds(900), 10);
  const sdk::Uuid id = sdk::Uuid::v7(1);
  const auto start = milliseconds(1000);
  cache.put(id, 7, start);
  CHECK(cache.find(id, start) == 7);
  CHECK(cache.find(id, start + milliseconds(899)) == 7);
  CHECK(cache.find(id, start + milliseconds(899)) == 7);
  CHECK_FALSE(cache.find(id, start + milliseconds(900)));
}

TEST_CASE("a full cache starts afresh instead of growing", "[identity]") {
  CredentialCache<int> cache(milliseconds(900), 2);
  const sdk::Uuid first = sdk::Uuid::v7(1);
  const sdk::Uuid second = sdk::Uuid::v7(2);
  const sdk::Uuid third = sdk::Uuid::v7(3);
  cache.put(first, 1, milliseconds(0));
  cache.put(second, 2, milliseconds(0));
  cache.put(second, 3, milliseconds(0));  // an update needs no room
  CHECK(cache.find(first, milliseconds(1)) == 1);
  cache.put(third, 4, milliseconds(0));
  CHECK_FALSE(cache.find(first, milliseconds(1)));
  CHECK(cache.find(third, milliseconds(1)) == 4);
}

}  // namespace
}  // namespace plexsphere::identity
