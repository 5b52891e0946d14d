#include <catch2/catch.hpp>

#include "contract/site.hpp"

using namespace plexsphere;

TEST_CASE("the process's own operations keep the published API", "[contract]") {
  contract::Site& site = contract::Site::shared();
  const auto anybody = site.anybody();
  CHECK(anybody.call("GET", "/v1/health").outcome() == "200");
  CHECK(anybody.call("GET", "/v1/version").outcome() == "200");
  CHECK(anybody.call("GET", "/v1/openapi.json").outcome() == "200");
  CHECK(anybody.call("GET", "/v1/admin/plugins").outcome() == "401 unauthenticated");
  CHECK(site.stranger().call("GET", "/v1/admin/plugins").outcome() == "403 permission_denied");
  CHECK(site.op().call("GET", "/v1/admin/plugins").outcome() == "200");
}

TEST_CASE("an answer that the document does not have fails the test that asked", "[contract]") {
  contract::Site& site = contract::Site::shared();
  CHECK_THROWS_AS(site.anybody().call("GET", "/v1/no-such-operation"), contract::ContractViolation);
}
