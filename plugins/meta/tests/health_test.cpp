#include <catch2/catch.hpp>

#include "http/meta_routes.hpp"

using namespace plexsphere::meta;
using namespace std::chrono_literals;

TEST_CASE("a roll-up of ok or degraded is 200, down is 503", "[meta][health]") {
  CHECK(http_status_of(HealthState::ok) == 200);
  CHECK(http_status_of(HealthState::degraded) == 200);
  CHECK(http_status_of(HealthState::down) == 503);
}

TEST_CASE("health names dependencies and states, and no cause", "[meta][health]") {
  CHECK(health_json({HealthState::degraded,
                     {{"database", HealthState::ok}, {"signer", HealthState::down}}}) ==
        R"({"status":"degraded","checks":[{"name":"database","status":"ok","detail":"Working."},)"
        R"({"name":"signer","status":"down","detail":"Not working."}]})");
  CHECK(health_json({HealthState::ok, {}}) == R"({"status":"ok","checks":[]})");
}

TEST_CASE("version carries the three build facts", "[meta][version]") {
  CHECK(version_json("1.2.3", "abc", "2027-01-15T12:00:00Z") ==
        R"({"version":"1.2.3","commit":"abc","date":"2027-01-15T12:00:00Z"})");
}

TEST_CASE("probes run at most once a second, and their names come sorted", "[meta][health]") {
  int runs = 0;
  std::chrono::nanoseconds now = 5s;
  HealthView view(
      [&] {
        ++runs;
        return HealthReport{HealthState::ok, {{"b", HealthState::ok}, {"a", HealthState::ok}}};
      },
      [&] { return now; });
  CHECK(view.current().checks.front().name == "a");
  now += 999ms;
  (void)view.current();
  CHECK(runs == 1);
  now += 1ms;
  (void)view.current();
  CHECK(runs == 2);
}
