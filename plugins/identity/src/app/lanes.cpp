#include "app/lanes.hpp"

#include <sys/resource.h>
#include <unistd.h>

namespace plexsphere::identity {

void Lane::start(std::size_t threads, int niceness) {
  {
    const std::lock_guard lock(mutex_);
    running_ = true;
  }
  for (std::size_t i = 0; i < threads; ++i) {
    threads_.emplace_back([this, niceness] { run(niceness); });
  }
}

bool Lane::submit(std::function<void()> work) {
  {
    const std::lock_guard lock(mutex_);
    if (!running_) {
      return false;
    }
    queue_.push_back(std::move(work));
  }
  wake_.notify_one();
  return true;
}

void Lane::stop() {
  {
    const std::lock_guard lock(mutex_);
    running_ = false;
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) {
    thread.join();
  }
  threads_.clear();
}

void Lane::run(int niceness) {
  if (niceness > ::getpriority(PRIO_PROCESS, 0)) {  // a process that yields already stays as it is
    // Of this thread alone, as Linux has it. To yield is always allowed.
    (void)::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), niceness);
  }
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return !queue_.empty() || !running_; });
    if (queue_.empty()) {
      return;
    }
    std::function<void()> work = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    try {
      work();
    } catch (...) {
      // The work's responder answers 500 when it is destroyed unanswered; the lane lives on.
    }
    work = nullptr;  // its responder and ticket go before the lock is taken again
    lock.lock();
  }
}

std::optional<Admission::Ticket> Admission::admit() {
  if (inside_.fetch_add(1) >= capacity_) {
    inside_.fetch_sub(1);
    return std::nullopt;
  }
  return Ticket(this);
}

}  // namespace plexsphere::identity
