// Leaving: in which order, how long, with which exit code.
#include <atomic>
#include <csignal>
#include <future>
#include <thread>

#include "running.hpp"

namespace plexsphere::host::apps {
namespace {

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// The status of a request made on a thread of its own; 0 when the connection was cut.
std::future<int> status_of(const Running& running, const std::string& path) {
  return std::async(std::launch::async, [url = running.url() + path] {
    try {
      return test_support::HttpClient(30s).request("GET", url).status;
    } catch (const std::exception&) {
      return 0;
    }
  });
}

bool in_flight(const Running& running, int count) {
  return test_support::wait_until(10s, [&] {
    return has(running.get("/metrics").body,
               "\nplexsphere_http_in_flight " + std::to_string(count + 1));  // and this one
  });
}

TEST_CASE("readiness turns before the listener closes, and requests under way finish", "[apps]") {
  Running running("drain_delay = \"500ms\"\n");
  running.start();
  auto slow = status_of(running, "/v1/good/slow?ms=1500");
  REQUIRE(in_flight(running, 1));
  running.process().terminate();
  REQUIRE(test_support::wait_until(5s, [&] { return running.get("/readyz").status == 503; }));
  CHECK(running.get("/readyz").body == R"({"status":"draining"})");
  CHECK(running.get("/livez").status == 200);
  CHECK(running.get("/v1/good/hello").status == 200);
  CHECK(slow.get() == 200);
  CHECK(running.process().wait(20s) == 0);
  const std::string log = running.process().err();
  CHECK(log.find("drain.started") < log.find("drain.listener_closed"));
  CHECK(log.find("drain.listener_closed") < log.find("drain.finished"));
}

TEST_CASE("readiness turns at once though every worker is busy", "[apps]") {
  Running running("drain_delay = \"500ms\"\nworkers = 1\n");
  running.start();
  auto working = status_of(running, "/v1/good/slow?ms=2000");
  REQUIRE(in_flight(running, 1));
  auto waiting = status_of(running, "/v1/good/slow?ms=1");
  REQUIRE(in_flight(running, 2));
  running.process().terminate();
  REQUIRE(test_support::wait_until(5s, [&] { return running.get("/readyz").status == 503; }));
  CHECK(working.wait_for(0s) == std::future_status::timeout);
  CHECK(working.get() == 200);
  CHECK(waiting.get() != 0);  // served, or told to come back
  CHECK(running.process().wait(20s) == 0);
}

TEST_CASE("streams are told when to come back, after the listener has closed", "[apps]") {
  Running running("drain_delay = \"300ms\"\n");
  running.start();
  test_support::Process client("/usr/bin/curl",
                               {"-sN", "-m", "60", running.url() + "/v1/good/stream?channel=a"});
  REQUIRE(test_support::wait_until(10s, [&] {
    return has(running.get("/metrics").body, "\nplexsphere_http_connections{state=\"stream\"} 1\n");
  }));
  running.process().terminate();
  CHECK(running.process().wait(20s) == 0);
  CHECK(client.wait(20s) == 0);  // a whole answer, not one that broke off
  CHECK(has(client.out(), "retry:"));
  CHECK_FALSE(has(running.process().err(), "drain.streams_cut"));
}

TEST_CASE("no request is lost by a client that follows readiness", "[apps]") {
  Running leaving("drain_delay = \"1s\"\n");
  leaving.start();
  std::atomic<bool> stop{false};
  std::atomic<int> served{0};
  std::atomic<int> lost{0};
  const auto client = [&] {
    while (!stop) {
      try {
        if (leaving.get("/readyz").status != 200) {
          return;
        }
        leaving.get("/v1/good/later").status == 200 ? ++served : ++lost;
      } catch (const std::exception&) {
        ++lost;
      }
    }
  };
  std::thread first(client);
  std::thread second(client);
  REQUIRE(test_support::wait_until(20s, [&] { return served > 50; }));
  leaving.process().terminate();
  first.join();
  second.join();
  CHECK(lost == 0);
  CHECK(leaving.process().wait(20s) == 0);
}

TEST_CASE("past the grace the connections are cut and the exit code is 2", "[apps]") {
  Running running;
  running.start({"--shutdown-grace", "300ms"});
  auto never = status_of(running, "/v1/good/never");
  REQUIRE(in_flight(running, 1));
  running.process().terminate();
  CHECK(running.process().wait(20s) == 2);
  CHECK(never.get() == 0);
  CHECK(has(running.process().err(), "drain.forced"));
}

TEST_CASE("handlers that come back after a forced end still find what they stand on", "[apps]") {
  Running running;
  running.start({"--shutdown-grace", "100ms"});
  std::vector<std::future<int>> cut;
  for (int i = 0; i < 12; ++i) {  // around the moment at which the process gives up
    cut.push_back(status_of(running, "/v1/good/slow?ms=" + std::to_string(600 + 50 * i)));
  }
  REQUIRE(in_flight(running, 12));
  running.process().terminate();
  CHECK(running.process().wait(20s) == 2);
  for (auto& status : cut) {
    CHECK(status.get() == 0);
  }
  CHECK(has(running.process().err(), "drain.forced"));
}

TEST_CASE("a second signal ends the process at once with 2", "[apps]") {
  Running running("drain_delay = \"60s\"\n");
  running.start({"--shutdown-grace", "120s"});
  running.process().terminate();
  REQUIRE(test_support::wait_until(10s, [&] { return running.get("/readyz").status == 503; }));
  running.process().signal(SIGINT);
  CHECK(running.process().wait(10s) == 2);
}

TEST_CASE("a drain delay beyond the grace is cut, so that the end is still clean", "[apps]") {
  Running running("drain_delay = \"60s\"\n");
  running.start({"--shutdown-grace", "3s"});
  running.process().terminate();
  CHECK(running.process().wait(20s) == 0);
}

}  // namespace
}  // namespace plexsphere::host::apps
