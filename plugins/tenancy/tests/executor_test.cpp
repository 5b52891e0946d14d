#include "app/executor.hpp"

#include <atomic>
#include <catch2/catch.hpp>
#include <future>
#include <memory>

#include "support/wait_until.hpp"

namespace plexsphere::tenancy {
namespace {

auto soon() {
  return std::chrono::steady_clock::now() + std::chrono::seconds(20);
}

}  // namespace

TEST_CASE("an executor takes nothing before start and after stop", "[tenancy][executor]") {
  Executor executor(4);
  CHECK_FALSE(executor.post([] {}));
  executor.start(1);
  CHECK(executor.post([] {}));
  executor.stop();
  CHECK_FALSE(executor.post([] {}));
}

TEST_CASE("every task runs once, and idle means all have", "[tenancy][executor]") {
  Executor executor(1000);
  executor.start(3);
  std::atomic<int> ran = 0;
  for (int i = 0; i < 500; ++i) {
    REQUIRE(executor.post([&] { ++ran; }));
  }
  REQUIRE(executor.wait_idle(soon()));
  CHECK(ran == 500);
}

TEST_CASE("a full queue refuses instead of growing; stop drops what waits and joins what runs",
          "[tenancy][executor]") {
  Executor executor(1);
  executor.start(1);
  std::promise<void> entered;
  std::promise<void> release;
  REQUIRE(executor.post([&] {
    entered.set_value();
    release.get_future().wait();
  }));
  entered.get_future().wait();
  auto dropped = std::make_shared<int>(1);
  const std::weak_ptr<int> watch = dropped;
  REQUIRE(executor.post([dropped = std::move(dropped)] { FAIL("dropped tasks do not run"); }));
  CHECK_FALSE(executor.post([] {}));
  CHECK_FALSE(executor.wait_idle(std::chrono::steady_clock::now()));
  auto stopped = std::async(std::launch::async, [&] { executor.stop(); });
  REQUIRE(test_support::wait_until(std::chrono::seconds(20), [&] { return watch.expired(); }));
  release.set_value();
  REQUIRE(stopped.wait_until(soon()) == std::future_status::ready);
}

TEST_CASE("a task that throws takes no thread with it", "[tenancy][executor]") {
  Executor executor(10);
  executor.start(1);
  REQUIRE(executor.post([] { throw 1; }));
  std::promise<void> ran;
  REQUIRE(executor.post([&] { ran.set_value(); }));
  CHECK(ran.get_future().wait_until(soon()) == std::future_status::ready);
}

}  // namespace plexsphere::tenancy
