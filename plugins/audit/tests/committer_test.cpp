#include "app/committer.hpp"

#include <atomic>
#include <catch2/catch.hpp>
#include <future>

#include "support/wait_until.hpp"

namespace plexsphere::audit {
namespace {

using namespace std::chrono_literals;
using sdk::Code;
using sdk::Error;
using sdk::Result;
using sdk::Status;

// Lets a test hold back, count and fail what the committer asks for.
class Bench {
 public:
  CommitterWork work() {
    return {[this](const Entry& entry) { return quick(entry); },
            [this](const Entry& entry) { return slow(entry); },
            [this](std::vector<const Row*> rows) { return append(rows); }};
  }
  void hold(bool held) {
    const std::lock_guard lock(mutex_);
    held_ = held;
    changed_.notify_all();
  }
  std::vector<std::size_t> batches() {
    const std::lock_guard lock(mutex_);
    return batches_;
  }
  std::atomic<bool> outage = false;

 private:
  static std::vector<Row> rows_of(const Entry& entry) {
    Row row;
    row.head = entry.relation;
    return {row};
  }
  std::optional<std::vector<Row>> quick(const Entry& entry) {
    return entry.object_type == "slow" ? std::nullopt : std::optional(rows_of(entry));
  }
  Result<std::vector<Row>> slow(const Entry& entry) {
    if (entry.relation == "nowhere") {
      return Error{Code::failed_precondition, "domain_unresolved", ""};
    }
    if (entry.relation == "throws") {
      throw std::runtime_error("a resolver's fault");
    }
    return rows_of(entry);
  }
  Status append(const std::vector<const Row*>& rows) {
    std::unique_lock lock(mutex_);
    batches_.push_back(rows.size());
    changed_.wait(lock, [&] { return !held_; });
    for (const Row* row : rows) {
      if (row->head == "poison") {
        return Error{Code::invalid_argument, "check", ""};
      }
    }
    return outage ? Status(Error{Code::unavailable, "database_unavailable", ""}) : Status{};
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  bool held_ = false;
  std::vector<std::size_t> batches_;
};

struct Answer {
  std::promise<std::pair<px_status, std::string>> promise;
  std::atomic<int> calls = 0;
};

void on_done(void* ctx, px_status status, px_str reason) {
  auto* answer = static_cast<Answer*>(ctx);
  if (answer->calls++ == 0) {
    answer->promise.set_value({status, std::string(sdk::view(reason))});
  }
}

Entry entry(const std::string& relation, const std::string& type = "quick") {
  Entry out;
  out.relation = relation;
  out.object_type = type;
  return out;
}

std::pair<px_status, std::string> outcome(Answer& answer) {
  auto future = answer.promise.get_future();
  REQUIRE(future.wait_for(10s) == std::future_status::ready);
  return future.get();
}

struct Running {
  Bench bench;
  Committer committer{bench.work(), {}, {}, {}};
  Running() { committer.start(); }
  void submit(Answer& answer, const Entry& what) { committer.submit(what, &on_done, &answer); }
};

TEST_CASE("what waits while a batch commits becomes the next batch", "[audit]") {
  Running run;
  run.bench.hold(true);
  std::vector<Answer> answers(101);
  run.submit(answers[0], entry("first"));
  REQUIRE(test_support::wait_until(10s, [&] { return run.bench.batches().size() == 1; }));
  for (std::size_t i = 1; i < answers.size(); ++i) {
    run.submit(answers[i], entry("more"));
  }
  run.bench.hold(false);
  for (Answer& answer : answers) {
    CHECK(outcome(answer).first == PX_OK);
  }
  CHECK(run.bench.batches() == std::vector<std::size_t>{1, 100});
}

TEST_CASE("an entry that needs a look-up holds up nobody else", "[audit]") {
  Running run;
  Answer slow, nowhere, throws;
  run.submit(slow, entry("found", "slow"));
  run.submit(nowhere, entry("nowhere", "slow"));
  run.submit(throws, entry("throws", "slow"));
  CHECK(outcome(slow).first == PX_OK);
  CHECK(outcome(nowhere) ==
        std::pair<px_status, std::string>(PX_FAILED_PRECONDITION, "domain_unresolved"));
  CHECK(outcome(throws) == std::pair<px_status, std::string>(PX_UNAVAILABLE, "audit_unavailable"));
}

TEST_CASE("an entry the database refuses takes no other with it", "[audit]") {
  Running run;
  run.bench.hold(true);
  Answer before, good, poison, fine;
  run.submit(before, entry("before"));
  REQUIRE(test_support::wait_until(10s, [&] { return run.bench.batches().size() == 1; }));
  run.submit(good, entry("good"));
  run.submit(poison, entry("poison"));
  run.submit(fine, entry("fine"));
  run.bench.hold(false);
  CHECK(outcome(good).first == PX_OK);
  CHECK(outcome(fine).first == PX_OK);
  CHECK(outcome(poison).second == "audit_unavailable");
}

TEST_CASE("an outage is told to everyone who waits, and ends", "[audit]") {
  Running run;
  run.bench.outage = true;
  Answer lost, written;
  run.submit(lost, entry("lost"));
  CHECK(outcome(lost) == std::pair<px_status, std::string>(PX_UNAVAILABLE, "audit_unavailable"));
  run.bench.outage = false;
  run.submit(written, entry("written"));
  CHECK(outcome(written).first == PX_OK);
}

TEST_CASE("past the limit the answer is a refusal, at once", "[audit]") {
  Running run;
  run.bench.hold(true);
  std::vector<Answer> answers(Committer::kMostWaiting + 1);
  for (Answer& answer : answers) {
    run.submit(answer, entry("flood"));
  }
  CHECK(outcome(answers.back()) ==
        std::pair<px_status, std::string>(PX_RESOURCE_EXHAUSTED, "audit_queue_full"));
  run.bench.hold(false);
  for (std::size_t i = 0; i + 1 < answers.size(); ++i) {
    CHECK(outcome(answers[i]).first == PX_OK);
  }
  for (const std::size_t size : run.bench.batches()) {
    CHECK(size <= Committer::kBatch);
  }
}

TEST_CASE("draining waits for what is written, and says so when time runs out", "[audit]") {
  Running run;
  run.bench.hold(true);
  Answer answer;
  run.submit(answer, entry("held"));
  CHECK(run.committer.drain(10ms).error().code == Code::deadline_exceeded);
  run.bench.hold(false);
  CHECK(run.committer.drain(10s).ok());
  CHECK(outcome(answer).first == PX_OK);
}

TEST_CASE("what still waits when the process stops is answered exactly once", "[audit]") {
  std::vector<Answer> answers(50);
  Answer late;
  {
    Running run;
    run.bench.hold(true);
    for (Answer& answer : answers) {
      run.submit(answer, entry("held", "slow"));
    }
    REQUIRE(test_support::wait_until(10s, [&] { return !run.bench.batches().empty(); }));
    auto stopping = std::async(std::launch::async, [&] { run.committer.stop(); });
    run.bench.hold(false);
    stopping.get();
    run.submit(late, entry("late"));
  }
  for (Answer& answer : answers) {
    const px_status status = outcome(answer).first;
    CHECK((status == PX_OK || status == PX_CANCELLED));
    CHECK(answer.calls == 1);
  }
  CHECK(outcome(late) == std::pair<px_status, std::string>(PX_CANCELLED, "audit_stopped"));
}

}  // namespace
}  // namespace plexsphere::audit
