// A few threads that run what must not run on gRPC's own: database work and callers' completions.
//
// Thread safety: post from any thread. Ownership: owns its threads; stop joins them after the last
// posted task. Invariant: a task that was taken runs exactly once.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace plexsphere::signing_client {

class TaskPool {
 public:
  using Task = std::function<void()>;

  explicit TaskPool(std::size_t threads);
  ~TaskPool();
  TaskPool(const TaskPool&) = delete;
  TaskPool& operator=(const TaskPool&) = delete;

  // False once stopping: the task is not taken. Not bounded here: whoever posts bounds its work.
  // A task must not throw. [any]
  bool post(Task task);
  // Runs what was posted and joins. Repeatable.
  void stop();

 private:
  void run();

  std::mutex lock_;
  std::condition_variable wake_;
  std::deque<Task> tasks_;  // guarded by lock_
  bool stopping_ = false;   // guarded by lock_
  std::vector<std::thread> threads_;
};

}  // namespace plexsphere::signing_client
