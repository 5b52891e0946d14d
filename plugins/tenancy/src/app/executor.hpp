// A few threads for work that goes on after somebody else's completion: those threads (the
// signer's, the audit committer's) must not wait for the database.
//
// Thread safety: post from any thread. Owns its threads and what is queued; a task that is dropped
// is destroyed, so a responder in it answers 500.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace plexsphere::tenancy {

class Executor {
 public:
  using Task = std::function<void()>;

  // Accepts nothing until start.
  explicit Executor(std::size_t most_queued) : most_queued_(most_queued) {}
  ~Executor() { stop(); }
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;

  void start(std::size_t threads);
  // False, and the task dropped, when the queue is full or the executor does not run.
  [[nodiscard]] bool post(Task task);
  // Whether nothing was queued or running at some moment before `deadline`.
  bool wait_idle(std::chrono::steady_clock::time_point deadline);
  // Lets running tasks end, drops the queued ones, joins. Idempotent.
  void stop();

 private:
  void run();

  const std::size_t most_queued_;
  std::mutex mutex_;  // guards all below
  std::condition_variable work_;
  std::condition_variable idle_;
  std::deque<Task> queue_;
  std::size_t running_ = 0;
  bool open_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace plexsphere::tenancy
