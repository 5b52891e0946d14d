#include "host/http/engine/worker_lane.hpp"

#include <algorithm>

namespace plexsphere::host::http::engine {
namespace {

thread_local bool is_worker = false;

}  // namespace

WorkerLane::WorkerLane(std::size_t threads, std::size_t max_waiting,
                       std::chrono::milliseconds max_wait)
    : max_waiting_(max_waiting), max_wait_(max_wait), last_empty_(Clock::now()) {
  for (std::size_t i = 0; i < threads; ++i) {
    threads_.emplace_back([this] { run(); });
  }
}

void WorkerLane::end() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  wake_.notify_all();
  for (auto& thread : threads_) {
    thread.join();
  }
  threads_.clear();
}

bool WorkerLane::on_worker() noexcept {
  return is_worker;
}

void WorkerLane::submit(std::vector<std::shared_ptr<Job>>& jobs) {
  if (jobs.empty()) {
    return;
  }
  const auto now = Clock::now();
  std::size_t taken = 0;
  std::size_t to_wake = 0;
  {
    const std::lock_guard lock(mutex_);
    if (line_.empty()) {
      last_empty_ = now;
    }
    const std::size_t room = max_waiting_ - std::min(max_waiting_, line_.size());
    taken = std::min(room + sleeping_, jobs.size());
    for (std::size_t i = 0; i < taken; ++i) {
      line_.push_back({std::move(jobs[i]), now});
    }
    to_wake = std::min(sleeping_, taken);
  }
  for (std::size_t i = 0; i < to_wake; ++i) {
    wake_.notify_one();
  }
  for (std::size_t i = taken; i < jobs.size(); ++i) {
    jobs[i]->shed();
  }
  jobs.clear();
}

void WorkerLane::go_on(std::function<void()> continuation) {
  bool wake = false;
  {
    const std::lock_guard lock(mutex_);
    continuations_.push_back(std::move(continuation));
    wake = sleeping_ > 0;
  }
  if (wake) {
    wake_.notify_one();
  }
}

std::size_t WorkerLane::waiting() const noexcept {
  const std::lock_guard lock(mutex_);
  return line_.size();
}

bool WorkerLane::idle() const noexcept {
  const std::lock_guard lock(mutex_);
  return line_.empty() && continuations_.empty() && working_ == 0;
}

bool WorkerLane::waited_too_long(Clock::time_point since, Clock::time_point now) const {
  const bool overloaded = now - last_empty_ > max_wait_;
  return now - since > (overloaded ? max_wait_ / 10 : max_wait_);
}

void WorkerLane::run() {
  is_worker = true;
  std::unique_lock lock(mutex_);
  for (;;) {
    while (!ending_ && line_.empty() && continuations_.empty()) {
      ++sleeping_;
      wake_.wait(lock);
      --sleeping_;
    }
    if (ending_) {
      return;
    }
    ++working_;
    if (!continuations_.empty()) {
      const auto task = std::move(continuations_.front());
      continuations_.pop_front();
      lock.unlock();
      task();
    } else {
      const Waiting next = std::move(line_.front());
      line_.pop_front();
      const auto now = Clock::now();
      const bool late = waited_too_long(next.since, now);
      if (line_.empty()) {
        last_empty_ = now;
      }
      lock.unlock();
      late ? next.job->shed() : next.job->work();
    }
    lock.lock();
    --working_;
  }
}

}  // namespace plexsphere::host::http::engine
