// Periodic work that one replica does at a time.
//
// The problem: two replicas must not do the same work, and one that was paused must not finish it
// after another took over. So the lease is a session lock of PostgreSQL on the scheduler's one
// connection, and a job writes in a transaction of that same connection: whoever lost the lease has
// lost the connection, and with it the way to commit.
//
// Thread safety: add before start; wake and the state questions from any thread. Ownership: owns
// its thread and its connection. Invariants: jobs run one after another on the scheduler's thread,
// never two at once; a job runs only while its lock is held.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "host/persistence/store.hpp"
#include "plexsphere/abi/jobs.h"

namespace plexsphere::host::jobs {

struct Job {
  persistence::Client client;  // whose role its transactions run under
  std::string name;
  std::chrono::milliseconds period{1000};
  std::function<px_status(const px_job_run& run, px_error* err)> run;

  [[nodiscard]] std::string full_name() const { return client.context + "." + name; }
};

struct SchedulerOptions {
  persistence::SessionOptions session;
  std::chrono::milliseconds lease_retry{5'000};  // between attempts to lead a job
  std::chrono::milliseconds reconnect{1'000};    // between attempts to reach the database
  std::chrono::milliseconds wake_poll{1'000};    // how often a leader reads others' wake requests
};

// What happened, for metrics. Called from the scheduler's thread.
struct SchedulerObserver {
  std::function<void(const std::string& job, px_status outcome, double seconds)> ran;
  std::function<void(const std::string& job, bool leads)> leads;
};

class Scheduler {
 public:
  static constexpr std::chrono::milliseconds kShortestPeriod{100};
  static constexpr std::chrono::milliseconds kLongestPeriod{86'400'000};

  Scheduler(persistence::Store& store, SchedulerOptions options, persistence::LogSink log,
            SchedulerObserver observer = {});
  ~Scheduler();
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  // Throws StoreError: PX_INVALID_ARGUMENT for a period outside 100 ms to one day or a missing
  // function, PX_ALREADY_EXISTS for a name in use, PX_FAILED_PRECONDITION after start. [init]
  void add(Job job);
  // Forgets the jobs of a context that failed before start. Later it does nothing: a plugin is only
  // stopped after drain.
  void remove(const std::string& context);
  void start();
  // Starts no further run and asks the current one to stop. Returns true when it has ended by
  // `deadline`.
  bool drain(std::chrono::steady_clock::time_point deadline);
  // Drains without a deadline and joins the thread; the session's locks end with it.
  void stop();

  // Runs the job as soon as possible on whichever replica leads it. Unknown names are ignored.
  void wake(const std::string& full_name);
  [[nodiscard]] bool leads(const std::string& full_name) const;

 private:
  using Clock = std::chrono::steady_clock;
  struct Entry {
    Job job;
    Clock::time_point due{};
    bool held = false;
    std::int64_t seen_requests = 0;
  };
  struct Run;  // behind px_job_run::self

  void loop();
  void step();
  bool ensure_session();
  void lose_session();
  void take_lease(Entry& entry);
  void run_job(Entry& entry);
  void run_guarded(Entry& entry, Run& run, px_status& outcome, std::string& detail);
  void forward_wakes();
  void poll_wakes();
  void set_held(Entry& entry, bool held);
  Clock::time_point next_due() const;
  std::chrono::milliseconds jittered(std::chrono::milliseconds period);
  void log_failure(const persistence::StoreError& error, std::string_view what);

  persistence::Store& store_;
  const SchedulerOptions options_;
  const persistence::LogSink log_;
  const SchedulerObserver observer_;
  const persistence::Client host_client_{"platform", "plexsphere_platform", false, true};

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::unique_ptr<Entry>> entries_;
  std::set<std::string> wakes_;
  bool running_ = false;  // a job is being run
  bool started_ = false;
  std::atomic<bool> stopping_{false};

  // The scheduler's thread only.
  std::unique_ptr<persistence::Session> session_;
  bool complained_ = false;
  Clock::time_point reconnect_at_{};
  Clock::time_point poll_at_{};
  std::minstd_rand random_{std::random_device{}()};
  std::thread thread_;
};

// The key of the job's session lock: the first eight bytes of a hash of its full name.
[[nodiscard]] std::int64_t lock_key(const std::string& full_name);

}  // namespace plexsphere::host::jobs
