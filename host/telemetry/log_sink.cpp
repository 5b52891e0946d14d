#include "host/telemetry/log_sink.hpp"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <utility>

namespace plexsphere::host::telemetry {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kBatch = 64 * 1024;              // bytes
constexpr std::size_t kMostPending = 4 * 1024 * 1024;  // bytes
constexpr std::chrono::milliseconds kLongestWait{50};
constexpr std::chrono::milliseconds kLongestBlock{100};
constexpr std::chrono::seconds kLastWords{1};
constexpr int kPollMs = 100;

bool is_regular(int descriptor) {
  struct stat status {};
  return ::fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode);
}

std::int64_t nanoseconds(Clock::time_point at) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(at.time_since_epoch()).count();
}

// A pipe that polls writable takes PIPE_BUF bytes at once, and no other writer's come between them.
std::string_view portion(std::string_view text) {
  if (text.size() <= PIPE_BUF) {
    return text;
  }
  const auto end = text.substr(0, PIPE_BUF).rfind('\n');
  return text.substr(0, end == std::string_view::npos ? PIPE_BUF : end + 1);
}

// Signals are for the program's own threads.
std::thread start_without_signals(std::function<void()> body) {
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  std::thread thread(std::move(body));
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return thread;
}

}  // namespace

BatchingSink::BatchingSink(int descriptor, DroppedLine dropped_line)
    : descriptor_(descriptor),
      regular_(is_regular(descriptor)),
      dropped_line_(std::move(dropped_line)) {
  pending_.reserve(2 * kBatch);
  writer_ = start_without_signals([this] { write_batches(); });
}

BatchingSink::~BatchingSink() {
  give_up_at_ = nanoseconds(Clock::now() + kLastWords);
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  wake_.notify_one();
  writer_.join();
}

void BatchingSink::log(const spdlog::details::log_msg& message) {
  bool wake = false;
  {
    std::unique_lock lock(mutex_);
    if (!wait_for_room(lock, message.payload.size())) {
      ++dropped_;
      return;
    }
    const bool urgent =
        message.level >= spdlog::level::warn || pending_.size() + message.payload.size() >= kBatch;
    wake = pending_.empty() || (urgent && !urgent_);
    urgent_ = urgent_ || urgent;
    pending_.append(message.payload.data(), message.payload.size());
    pending_.push_back('\n');
    ++taken_count_;
  }
  if (wake) {
    wake_.notify_one();
  }
}

// Waits once only for a writer that is stuck: until it goes on, everybody else drops at once.
bool BatchingSink::wait_for_room(std::unique_lock<std::mutex>& lock, std::size_t size) {
  const auto has_room = [&] { return pending_.size() + size < kMostPending; };
  if (has_room()) {
    return true;
  }
  if (!stuck_ && !room_.wait_for(lock, kLongestBlock, has_room)) {
    stuck_ = true;
  }
  return has_room();
}

void BatchingSink::flush() {
  {
    const std::lock_guard lock(mutex_);
    urgent_ = true;
  }
  wake_.notify_one();
}

bool BatchingSink::flush_within(std::chrono::milliseconds limit) {
  flush();
  std::unique_lock lock(mutex_);
  const std::uint64_t wanted = taken_count_;
  return written_.wait_for(lock, limit, [&] { return written_count_ >= wanted; });
}

void BatchingSink::write_batches() {
  std::string batch;
  batch.reserve(2 * kBatch);
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return ending_ || !pending_.empty(); });
    if (pending_.empty()) {
      return;
    }
    wake_.wait_for(lock, kLongestWait, [this] { return ending_ || urgent_; });
    batch.swap(pending_);
    urgent_ = false;
    stuck_ = false;
    room_.notify_all();
    const std::uint64_t count = taken_count_;
    const std::uint64_t dropped = std::exchange(dropped_, 0);
    lock.unlock();
    if (dropped > 0) {
      batch.append(dropped_line_(dropped)).push_back('\n');
    }
    write_all(batch);
    batch.clear();
    if (batch.capacity() > 4 * kBatch) {  // a rush must not be paid for in memory for ever
      batch.shrink_to_fit();
      batch.reserve(2 * kBatch);
    }
    lock.lock();
    written_count_ = count;
    written_.notify_all();
  }
}

void BatchingSink::write_all(std::string_view text) const {
  while (!text.empty()) {
    if (!regular_ && !wait_writable()) {
      return;
    }
    const auto part = regular_ ? text : portion(text);
    const ssize_t wrote = ::write(descriptor_, part.data(), part.size());
    if (wrote > 0) {
      text.remove_prefix(static_cast<std::size_t>(wrote));
    } else if (errno != EINTR && errno != EAGAIN) {
      return;  // nowhere left to say it
    }
  }
}

bool BatchingSink::wait_writable() const {
  while (nanoseconds(Clock::now()) < give_up_at_) {
    pollfd entry{descriptor_, POLLOUT, 0};
    const int ready = ::poll(&entry, 1, kPollMs);
    if (ready > 0 || (ready < 0 && errno != EINTR)) {
      return true;  // if it is broken, write says so
    }
  }
  return false;
}

}  // namespace plexsphere::host::telemetry
