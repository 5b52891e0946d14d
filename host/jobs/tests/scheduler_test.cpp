#include <catch2/catch.hpp>

#include <atomic>
#include <memory>

#include "host/jobs/scheduler.hpp"
#include "host/persistence/tests/database_fixture.hpp"
#include "support/wait_until.hpp"

// libpqxx 6.4.5 loses the PGresult of the statement during which a connection breaks.
extern "C" const char* __lsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions() {
  return "leak:PQmakeEmptyPGresult\n";
}

namespace plexsphere::host::jobs {
namespace {

using namespace std::chrono_literals;
using namespace plexsphere::host::testing;
using persistence::Store;
using test_support::wait_until;

Database& database() {
  static Database instance;
  return instance;
}

// One replica: a store, a scheduler, and a job whose body the test gives.
struct Replica {
  using Body = std::function<px_status(const px_job_run&, px_error*)>;

  explicit Replica(const std::string& job, Body body, std::chrono::milliseconds period = 100ms)
      : store(database().options(), {}),
        scheduler(store, fast_options(), {}),
        name("alpha." + job) {
    insert = declare(store, alpha, "INSERT INTO alpha.item (id) VALUES ($1)", {PX_TYPE_INT64});
    scheduler.add({alpha, job, period, std::move(body)});
  }
  SchedulerOptions fast_options() const {
    SchedulerOptions options;
    options.session = database().options().pool.session;
    options.session.application_name = "leader";
    options.lease_retry = 50ms;
    options.reconnect = 50ms;
    options.wake_poll = 50ms;
    return options;
  }
  bool leads() { return scheduler.leads(name); }

  persistence::Client alpha = client("alpha");
  Store store;
  Scheduler scheduler;
  std::string name;
  std::uint32_t insert = 0;
};

TEST_CASE("one replica leads a job, and another takes over when it stops", "[jobs]") {
  std::atomic<int> first_runs{0};
  std::atomic<int> second_runs{0};
  const auto counting = [](std::atomic<int>& runs) {
    return [&runs](const px_job_run&, px_error*) {
      ++runs;
      return PX_OK;
    };
  };
  auto first = std::make_unique<Replica>("takeover", counting(first_runs));
  Replica second("takeover", counting(second_runs));
  first->scheduler.start();
  REQUIRE(wait_until(10s, [&] { return first_runs.load() >= 2; }));
  second.scheduler.start();
  REQUIRE(wait_until(10s, [&] { return first_runs.load() >= 5; }));
  CHECK(second_runs.load() == 0);
  CHECK_FALSE(second.leads());
  first->scheduler.stop();
  REQUIRE(wait_until(10s, [&] { return second_runs.load() >= 1; }));
  CHECK(second.leads());
  const int after = first_runs.load();
  CHECK(first_runs.load() == after);
}

TEST_CASE("a leader that lost its session cannot commit, and sees that it should stop", "[jobs]") {
  database().cluster.query("TRUNCATE alpha.item");
  std::atomic<bool> began{false};
  std::atomic<bool> told_to_stop{false};
  std::atomic<px_status> outcome{PX_OK};
  Replica* self = nullptr;
  Replica replica("fenced", [&](const px_job_run& run, px_error* err) -> px_status {
    if (began.load()) {
      return PX_OK;  // runs after the loss are of no interest
    }
    px_tx* tx = nullptr;
    if (run.begin(run.self, &tx, err) != PX_OK) {
      return PX_INTERNAL;
    }
    const px_value one = integer(1);
    self->store.execute(self->alpha, tx, self->insert, &one, 1, nullptr);
    began = true;
    told_to_stop = wait_until(10s, [&] { return run.should_stop(run.self) != 0; });
    outcome = failure_of([&] { self->store.commit(tx); }).status();
    return PX_OK;
  });
  self = &replica;
  replica.scheduler.start();
  REQUIRE(wait_until(10s, [&] { return began.load(); }));
  database().cluster.query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'leader'");
  REQUIRE(wait_until(10s, [&] { return outcome.load() != PX_OK; }));
  CHECK(told_to_stop.load());
  CHECK(database().cluster.query("SELECT count(*) FROM alpha.item") == "0");
  CHECK(wait_until(10s, [&] { return replica.leads(); }));  // with a new session and lease
}

TEST_CASE("a job that leaves its transaction open does not bind the next run", "[jobs]") {
  std::atomic<int> runs{0};
  std::vector<px_status> outcomes;
  Replica replica("forgetful", [&](const px_job_run& run, px_error* err) {
    px_tx* tx = nullptr;
    const px_status begun = run.begin(run.self, &tx, err);
    px_tx* second = nullptr;
    CHECK(run.begin(run.self, &second, nullptr) == PX_FAILED_PRECONDITION);
    ++runs;
    return begun;
  });
  replica.scheduler.start();
  CHECK(wait_until(10s, [&] { return runs.load() >= 3; }));
}

TEST_CASE("a job that throws is a failed run, not a dead process", "[jobs]") {
  std::atomic<int> runs{0};
  Replica replica("thrower", [&](const px_job_run&, px_error*) -> px_status {
    ++runs;
    throw std::runtime_error("oops");
  });
  replica.scheduler.start();
  CHECK(wait_until(10s, [&] { return runs.load() >= 2; }));
}

TEST_CASE("wake runs the job on whichever replica leads it", "[jobs]") {
  std::atomic<int> leader_runs{0};
  std::atomic<int> other_runs{0};
  const auto counting = [](std::atomic<int>& runs) {
    return [&runs](const px_job_run&, px_error*) {
      ++runs;
      return PX_OK;
    };
  };
  Replica leader("woken", counting(leader_runs), 1h);
  leader.scheduler.start();
  REQUIRE(wait_until(10s, [&] { return leader_runs.load() == 1; }));
  leader.scheduler.wake("alpha.woken");
  CHECK(wait_until(10s, [&] { return leader_runs.load() == 2; }));
  Replica other("woken", counting(other_runs), 1h);
  other.scheduler.start();
  other.scheduler.wake("alpha.woken");
  CHECK(wait_until(10s, [&] { return leader_runs.load() >= 3; }));
  CHECK(other_runs.load() == 0);
}

TEST_CASE("draining waits for the run at hand and starts no other", "[jobs]") {
  std::atomic<bool> began{false};
  std::atomic<int> runs{0};
  Replica replica("draining", [&](const px_job_run& run, px_error*) {
    began = true;
    ++runs;
    CHECK(wait_until(10s, [&] { return run.should_stop(run.self) != 0; }));
    return PX_OK;
  });
  replica.scheduler.start();
  REQUIRE(wait_until(10s, [&] { return began.load(); }));
  CHECK(replica.scheduler.drain(std::chrono::steady_clock::now() + 10s));
  CHECK(runs.load() == 1);
}

TEST_CASE("a context that withdrew before start has no jobs, and its names are free", "[jobs]") {
  std::atomic<int> withdrawn_runs{0};
  std::atomic<int> runs{0};
  const auto counting = [](std::atomic<int>& count) {
    return [&count](const px_job_run&, px_error*) {
      ++count;
      return PX_OK;
    };
  };
  Replica replica("withdrawn", counting(withdrawn_runs));
  replica.scheduler.remove("alpha");
  replica.scheduler.add({replica.alpha, "withdrawn", 100ms, counting(runs)});
  replica.scheduler.start();
  CHECK(wait_until(10s, [&] { return runs.load() >= 2; }));
  CHECK(withdrawn_runs.load() == 0);
}

TEST_CASE("jobs with a bad period or a name in use are refused", "[jobs]") {
  Replica replica("named", [](const px_job_run&, px_error*) { return PX_OK; });
  const auto body = [](const px_job_run&, px_error*) { return PX_OK; };
  const auto add = [&](const std::string& name, std::chrono::milliseconds period) {
    return failure_of([&] { replica.scheduler.add({replica.alpha, name, period, body}); }).status();
  };
  CHECK(add("quick", 99ms) == PX_INVALID_ARGUMENT);
  CHECK(add("rare", 25h) == PX_INVALID_ARGUMENT);
  CHECK(add("named", 1s) == PX_ALREADY_EXISTS);
  replica.scheduler.start();
  CHECK(add("late", 1s) == PX_FAILED_PRECONDITION);
}

}  // namespace
}  // namespace plexsphere::host::jobs
