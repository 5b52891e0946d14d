// Where enrolment waits, so that no host worker does.
//
// Two lanes of threads: `proof` computes Argon2id, as many at once as there are cores; `change`
// runs transactions. Admission is counted over both: whoever comes when `capacity` are inside is
// turned away at once instead of queueing without end.
//
// Thread safety: submit and admit from any thread; start and stop by one. stop() runs what has been
// submitted, then joins.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

namespace plexsphere::identity {

// Threads over one queue.
class Lane {
 public:
  Lane() = default;
  ~Lane() { stop(); }
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;

  // Threads of `niceness` 0 to 19 (nice(2)): at 19 they compute only what nobody else wants to.
  void start(std::size_t threads, int niceness = 0);
  // False once stopped; the work is then not taken.
  bool submit(std::function<void()> work);
  void stop();

 private:
  void run(int niceness);

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> queue_;  // under mutex_
  bool running_ = false;                     // under mutex_
  std::vector<std::thread> threads_;
};

// Counts who is inside.
class Admission {
 public:
  explicit Admission(std::size_t capacity) : capacity_(capacity) {}

  // Held by one admitted piece of work; leaving is its destruction. Move-only.
  class Ticket {
   public:
    explicit Ticket(Admission* owner) : owner_(owner) {}
    Ticket(Ticket&& other) noexcept : owner_(std::exchange(other.owner_, nullptr)) {}
    Ticket& operator=(Ticket&&) = delete;
    ~Ticket() {
      if (owner_ != nullptr) {
        owner_->inside_.fetch_sub(1);
      }
    }

   private:
    Admission* owner_;
  };

  std::optional<Ticket> admit();
  std::size_t inside() const { return inside_.load(); }

 private:
  const std::size_t capacity_;
  std::atomic<std::size_t> inside_{0};
};

struct Lanes {
  explicit Lanes(std::size_t capacity) : admission(capacity) {}

  Admission admission;
  Lane proof;
  Lane change;
};

}  // namespace plexsphere::identity
