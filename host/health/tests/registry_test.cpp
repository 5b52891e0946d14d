#include "host/health/registry.hpp"

#include <catch2/catch.hpp>
#include <filesystem>
#include <future>
#include <latch>
#include <nlohmann/json.hpp>

#include "support/wait_until.hpp"

namespace plexsphere::host::health {
namespace {

using namespace std::chrono_literals;  // NOLINT: test

std::size_t thread_count() {
  const std::filesystem::directory_iterator all("/proc/self/task");
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

Outcome good() {
  return {};
}
Outcome bad() {
  return {State::kDown, "connection refused"};
}

TEST_CASE("ready means no failing probe is down", "[health]") {
  Registry registry;
  CHECK(registry.check().ready());
  REQUIRE(registry.add("database", good).ok());
  CHECK(registry.check().state() == State::kOk);
  REQUIRE(registry.add("signer", bad, {.kind = Kind::kInformational}).ok());
  auto report = registry.check();
  CHECK(report.ready());
  CHECK(report.state() == State::kDegraded);
  REQUIRE(registry.add("schema", bad).ok());
  report = registry.check();
  CHECK_FALSE(report.ready());
  CHECK(report.state() == State::kDown);
}

TEST_CASE("the body shows every probe with its detail", "[health]") {
  Registry registry;
  REQUIRE(registry.add("database", bad).ok());
  REQUIRE(registry.add("signer", good, {.kind = Kind::kInformational}).ok());
  const auto body = nlohmann::json::parse(to_json(registry.check()));
  CHECK(body["status"] == "unhealthy");
  REQUIRE(body["checks"].size() == 2);
  CHECK(body["checks"][0]["name"] == "database");
  CHECK(body["checks"][0]["ok"] == false);
  CHECK(body["checks"][0]["detail"] == "connection refused");
  CHECK(body["checks"][1]["informational"] == true);
}

TEST_CASE("draining wins over every probe and is the whole body", "[health]") {
  Registry registry;
  REQUIRE(registry.add("database", good).ok());
  registry.drain();
  const auto report = registry.check();
  CHECK_FALSE(report.ready());
  CHECK(to_json(report) == R"({"status":"draining"})");
}

TEST_CASE("probes run in parallel", "[health]") {
  Registry registry;
  std::latch together(3);  // each probe returns only when all three are running
  for (const char* name : {"a", "b", "c"}) {
    REQUIRE(registry
                .add(name,
                     [&together]() -> Outcome {
                       together.arrive_and_wait();
                       return {};
                     },
                     {.timeout = 20s})
                .ok());
  }
  CHECK(registry.check().ready());
}

TEST_CASE("a hanging probe is down after its own time-out and never piles up threads", "[health]") {
  std::promise<void> release;
  auto released = release.get_future().share();
  std::atomic<int> runs{0};
  Registry registry;
  REQUIRE(registry.add("quick", good).ok());
  REQUIRE(registry
              .add("hangs",
                   [released, &runs]() -> Outcome {
                     ++runs;
                     released.wait();
                     return {};
                   },
                   {.timeout = 30ms})
              .ok());
  const auto first = registry.check();
  REQUIRE(first.checks.size() == 2);
  CHECK(first.checks[0].outcome.state == State::kOk);
  CHECK(first.checks[1].outcome.state == State::kDown);
  CHECK(first.checks[1].outcome.detail == "no answer within 30 ms");
  const std::size_t threads = thread_count();
  for (int i = 0; i < 50; ++i) {
    CHECK_FALSE(registry.check().ready());
  }
  CHECK(thread_count() == threads);
  CHECK(runs == 1);
  release.set_value();
  CHECK(test_support::wait_until(10s, [&] { return registry.check().ready(); }));
}

TEST_CASE("a registry goes away while a probe hangs", "[health]") {
  std::promise<void> release;
  auto released = release.get_future().share();
  {
    Registry registry;
    REQUIRE(registry
                .add("hangs",
                     [released]() -> Outcome {
                       released.wait();
                       return {};
                     },
                     {.timeout = 1ms})
                .ok());
    CHECK_FALSE(registry.check().ready());
  }
  release.set_value();
}

TEST_CASE("a throwing probe is down", "[health]") {
  Registry registry;
  REQUIRE(registry.add("throws", []() -> Outcome { throw 42; }).ok());
  CHECK(registry.check().state() == State::kDown);
}

TEST_CASE("badly declared probes are refused", "[health]") {
  Registry registry;
  CHECK(registry.add("", good).code() == Code::kInvalidArgument);
  CHECK(registry.add("a", {}).code() == Code::kInvalidArgument);
  CHECK(registry.add("a", good, {.timeout = 0ms}).code() == Code::kInvalidArgument);
  CHECK(registry.add("a", good, {.timeout = 61s}).code() == Code::kInvalidArgument);
  REQUIRE(registry.add("a", good).ok());
  CHECK(registry.add("a", good).code() == Code::kAlreadyExists);
}

}  // namespace
}  // namespace plexsphere::host::health
