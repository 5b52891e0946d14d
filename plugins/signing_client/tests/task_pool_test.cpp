#include "app/task_pool.hpp"

#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <thread>

namespace plexsphere::signing_client {
namespace {

TEST_CASE("what was posted runs once, also when stopping", "[signing_client]") {
  std::atomic<int> ran = 0;
  TaskPool pool(2);
  for (int i = 0; i < 1000; ++i) {
    CHECK(pool.post([&ran] { ++ran; }));
  }
  pool.stop();
  CHECK(ran == 1000);
  CHECK_FALSE(pool.post([&ran] { ++ran; }));
  pool.stop();
  CHECK(ran == 1000);
}

TEST_CASE("a task that posts while the pool stops is told so", "[signing_client]") {
  std::atomic<bool> stopping = false;
  std::atomic<int> ran = 0;
  int taken = 0;
  bool refused = false;
  TaskPool pool(1);
  REQUIRE(pool.post([&] {
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!refused && std::chrono::steady_clock::now() < limit) {
      if (!stopping) {
        std::this_thread::yield();
      } else if (pool.post([&ran] { ++ran; })) {
        ++taken;
      } else {
        refused = true;
      }
    }
  }));
  stopping = true;
  pool.stop();
  CHECK(refused);
  CHECK(ran == taken);  // what was taken before still ran
}

}  // namespace
}  // namespace plexsphere::signing_client
