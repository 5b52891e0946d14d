#include <catch2/catch.hpp>
#include <stdexcept>

#include "plexsphere/sdk/secret.hpp"
#include "plexsphere/sdk/status.hpp"

using namespace plexsphere::sdk;

TEST_CASE("a boundary turns whatever is thrown into a status", "[sdk]") {
  ErrorSink sink;
  CHECK(guard(sink.wire(), []() -> Status { throw std::runtime_error("boom"); }) == PX_INTERNAL);
  CHECK(std::move(sink).error(PX_INTERNAL).reason == "exception");
  CHECK(guard(nullptr, []() -> Status { throw 42; }) == PX_INTERNAL);
  CHECK(guard(nullptr, []() -> Status { return {}; }) == PX_OK);
}

TEST_CASE("an error keeps its reason and detail across the wire", "[sdk]") {
  ErrorSink sink;
  const px_status status = guard(sink.wire(), []() -> Status {
    return Error{Code::resource_exhausted, "pool_exhausted", "No address is left."};
  });
  CHECK(status == PX_RESOURCE_EXHAUSTED);
  const Status outcome = std::move(sink).outcome(status);
  REQUIRE_FALSE(outcome.ok());
  CHECK(outcome.error() ==
        Error{Code::resource_exhausted, "pool_exhausted", "No address is left."});
}

TEST_CASE("constant-time comparison is comparison", "[sdk]") {
  CHECK(constant_time_equal("abc", "abc"));
  CHECK_FALSE(constant_time_equal("abc", "abd"));
  CHECK_FALSE(constant_time_equal("abc", "ab"));
  CHECK(constant_time_equal("", ""));
}
