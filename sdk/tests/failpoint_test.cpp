#include "plexsphere/sdk/failpoint.hpp"

#include <catch2/catch.hpp>

TEST_CASE("where failpoints are not compiled in, one is nothing, not even its name", "[sdk]") {
  PLEXSPHERE_FAILPOINT(no_such_thing);  // it would not compile
  SUCCEED();
}
