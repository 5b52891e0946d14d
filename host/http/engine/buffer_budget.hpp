// How many bytes of request bodies the engine may hold at once, over all connections.
//
// Limits by connection and by route multiply: thousands of clients that each upload what they may
// would together be more than there is memory. What is counted are the bytes of a body as received,
// from its first until its request is done with.
//
// Thread safety: a budget from any thread; a share is used by one thread at a time.
// Ownership: a budget is shared by the engine and its shares, because a handler may hold a request
// for longer than there is an engine.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <utility>

namespace plexsphere::host::http::engine {

class BufferBudget {
 public:
  explicit BufferBudget(std::size_t limit) : limit_(limit) {}

  // Bytes in all shares.
  std::size_t used() const noexcept { return used_; }
  // False, and nothing taken, when they do not fit.
  bool take(std::size_t bytes) noexcept {
    if (used_.fetch_add(bytes) + bytes <= limit_) {
      return true;
    }
    used_ -= bytes;
    return false;
  }
  void give_back(std::size_t bytes) noexcept { used_ -= bytes; }

 private:
  const std::size_t limit_;
  std::atomic<std::size_t> used_{0};
};

// The part of a budget that one body takes. Gives it back in the end.
class BufferShare {
 public:
  BufferShare() = default;  // of nothing; cannot grow
  explicit BufferShare(std::shared_ptr<BufferBudget> budget) : budget_(std::move(budget)) {}
  BufferShare(BufferShare&& other) noexcept
      : budget_(std::move(other.budget_)), bytes_(std::exchange(other.bytes_, 0)) {}
  BufferShare& operator=(BufferShare&& other) noexcept {
    std::swap(budget_, other.budget_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~BufferShare() {
    if (budget_) {
      budget_->give_back(bytes_);
    }
  }

  // False, and the share as it was, when the budget has no room for the growth.
  bool grow_to(std::size_t bytes) noexcept {
    if (bytes <= bytes_) {
      return true;
    }
    if (!budget_ || !budget_->take(bytes - bytes_)) {
      return false;
    }
    bytes_ = bytes;
    return true;
  }

 private:
  std::shared_ptr<BufferBudget> budget_;  // with the engine and all other shares
  std::size_t bytes_ = 0;
};

}  // namespace plexsphere::host::http::engine
