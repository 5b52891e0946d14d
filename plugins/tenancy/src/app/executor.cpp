#include "app/executor.hpp"

#include <utility>

namespace plexsphere::tenancy {

void Executor::start(std::size_t threads) {
  const std::lock_guard lock(mutex_);
  open_ = true;
  for (std::size_t i = 0; i < threads; ++i) {
    threads_.emplace_back([this] { run(); });
  }
}

bool Executor::post(Task task) {
  {
    const std::lock_guard lock(mutex_);
    if (!open_ || queue_.size() >= most_queued_) {
      return false;
    }
    queue_.push_back(std::move(task));
  }
  work_.notify_one();
  return true;
}

bool Executor::wait_idle(std::chrono::steady_clock::time_point deadline) {
  std::unique_lock lock(mutex_);
  return idle_.wait_until(lock, deadline, [&] { return queue_.empty() && running_ == 0; });
}

void Executor::stop() {
  std::vector<std::thread> threads;
  std::deque<Task> dropped;  // destroyed without the lock: a task may own a responder
  {
    const std::lock_guard lock(mutex_);
    open_ = false;
    threads.swap(threads_);
    dropped.swap(queue_);
  }
  work_.notify_all();
  dropped.clear();
  for (std::thread& thread : threads) {
    thread.join();
  }
}

void Executor::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    work_.wait(lock, [&] { return !open_ || !queue_.empty(); });
    if (queue_.empty()) {
      return;
    }
    Task task = std::move(queue_.front());
    queue_.pop_front();
    ++running_;
    lock.unlock();
    try {
      task();
    } catch (...) {
      // A task answers for itself: its responder says 500 when it is destroyed unanswered.
    }
    task = nullptr;
    lock.lock();
    --running_;
    if (queue_.empty() && running_ == 0) {
      idle_.notify_all();
    }
  }
}

}  // namespace plexsphere::tenancy
