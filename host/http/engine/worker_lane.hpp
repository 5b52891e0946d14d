// A pool of workers with a line in front of it that sheds rather than let latency grow.
//
// Two kinds of work: new requests wait in a bounded line and may be shed; continuations of requests
// that are under way go first and are never refused.
//
// Shedding follows "controlled delay" (Nichols and Jacobson, "Controlling Queue Delay", ACM Queue
// 10(5), 2012, as adapted to servers by Maurer, "Fail at Scale", ACM Queue 13(8), 2015): a burst
// may wait up to max_wait; once the line has not been empty for that long, nobody waits longer than
// a tenth of it, so that under lasting overload those who are served are served soon.
//
// Thread safety: all members from any thread, but for stop. Ownership: owns its threads.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace plexsphere::host::http::engine {

// A request on its way to a worker.
class Job {
 public:
  Job() = default;
  Job(const Job&) = delete;
  Job& operator=(const Job&) = delete;
  virtual ~Job() = default;

  virtual void work() noexcept = 0;  // on a worker
  virtual void shed() noexcept = 0;  // on any thread: it waited too long or the line is full
};

class WorkerLane {
 public:
  WorkerLane(std::size_t threads, std::size_t max_waiting, std::chrono::milliseconds max_wait);
  ~WorkerLane() { end(); }
  WorkerLane(const WorkerLane&) = delete;
  WorkerLane& operator=(const WorkerLane&) = delete;

  // Takes all of `jobs`, which is empty afterwards. Those beyond the bound are shed here and now.
  void submit(std::vector<std::shared_ptr<Job>>& jobs);
  void go_on(std::function<void()> continuation);
  // Ends the threads when they come back; what still waits is dropped with the lane. Not from two
  // threads at once.
  void end();

  std::size_t waiting() const noexcept;
  bool idle() const noexcept;  // nothing waits and nobody works

  // Whether the calling thread is a worker, of any lane.
  static bool on_worker() noexcept;

 private:
  using Clock = std::chrono::steady_clock;
  struct Waiting {
    std::shared_ptr<Job> job;
    Clock::time_point since;
  };

  void run();
  bool waited_too_long(Clock::time_point since, Clock::time_point now) const;

  const std::size_t max_waiting_;
  const std::chrono::milliseconds max_wait_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> continuations_;
  std::deque<Waiting> line_;
  Clock::time_point last_empty_;
  std::size_t sleeping_ = 0;
  std::size_t working_ = 0;
  bool ending_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace plexsphere::host::http::engine
