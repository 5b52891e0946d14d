#include "http/errors.hpp"

#include <catch2/catch.hpp>

namespace plexsphere::identity {
namespace {

using sdk::Code;

TEST_CASE("a refusal keeps its code and gets the contract's status", "[identity]") {
  const auto status = [](const char* reason) {
    return problem_of({Code::permission_denied, reason, "detail"}).status;
  };
  CHECK(status("public_key_invalid") == 400);
  CHECK(status("token_consumed") == 403);
  CHECK(status("nonce_collision") == 403);
  CHECK(status("resource_not_found") == 404);
  CHECK(status("bootstrap_token_invalid") == 422);
  CHECK(status("pool_exhausted") == 503);
  CHECK(problem_of({Code::permission_denied, "token_consumed", "d"}).code == "token_consumed");
}

TEST_CASE("what may pass says when to try again", "[identity]") {
  for (const char* reason : {"pool_exhausted", "allocator_contention", "signing_unavailable"}) {
    const auto problem = problem_of({Code::unavailable, reason, "detail"});
    REQUIRE(problem.headers.size() == 1);
    CHECK(problem.headers[0] == std::pair<std::string, std::string>("Retry-After", "1"));
  }
}

TEST_CASE("an outage of the database hides its cause, and a fault is internal", "[identity]") {
  const auto outage = problem_of({Code::unavailable, "database_unavailable", "host db7 is down"});
  CHECK(outage.status == 503);
  CHECK(outage.code == "datastore_unavailable");
  CHECK(outage.detail.find("db7") == std::string::npos);
  const auto fault = problem_of({Code::internal, "statement_wrong", "SELECT secret"});
  CHECK(fault.status == 500);
  CHECK(fault.code == "internal");
  CHECK(fault.detail.find("SELECT") == std::string::npos);
}

}  // namespace
}  // namespace plexsphere::identity
