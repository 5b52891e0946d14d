// The pool of database sessions of one process.
//
// Thread safety: all functions from any thread. Ownership: owns idle sessions; a Lease owns the one
// it was given and hands it back, or drops it when it broke.
// Invariants: at most `capacity` sessions live at once, plus `reserved` ones that only callers with
// `may_use_reserve` reach. No thread of its own.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "host/persistence/session.hpp"

namespace plexsphere::host::persistence {

struct PoolOptions {
  SessionOptions session;
  std::size_t capacity = 16;
  std::size_t reserved = 1;  // for the audit committer: a full pool must not stop the record
};

struct PoolStats {
  std::size_t open = 0;
  std::size_t idle = 0;
  std::size_t waiting = 0;
};

class Pool {
 public:
  class Lease {
   public:
    Lease(Pool* pool, std::unique_ptr<Session> session, bool fresh)
        : pool_(pool), session_(std::move(session)), fresh_(fresh) {}
    Lease(Lease&&) noexcept = default;
    Lease& operator=(Lease&&) = delete;
    ~Lease();
    Session& operator*() const { return *session_; }
    Session* operator->() const { return session_.get(); }
    // True when the session was connected for this lease and cannot be stale.
    [[nodiscard]] bool fresh() const { return fresh_; }

   private:
    Pool* pool_;
    std::unique_ptr<Session> session_;
    bool fresh_;
  };

  explicit Pool(PoolOptions options);

  // A session, if possible one that last served `role` and so has its statements prepared.
  // Throws StoreError: PX_RESOURCE_EXHAUSTED, reason "connection_pool", when none became free by
  // `deadline`; PX_UNAVAILABLE when the server cannot be reached (for 200 ms after a failed attempt
  // at once, without another attempt). The pool must outlive the lease.
  [[nodiscard]] Lease acquire(std::string_view role, bool may_use_reserve,
                              std::chrono::steady_clock::time_point deadline);

  // Closes the idle sessions. Called when one proved dead: the others saw the same restart.
  void discard_idle();

  [[nodiscard]] PoolStats stats() const;
  [[nodiscard]] const PoolOptions& options() const { return options_; }

 private:
  std::unique_ptr<Session> take_idle(std::string_view role);
  std::unique_ptr<Session> connect();
  void give_back(std::unique_ptr<Session> session) noexcept;

  const PoolOptions options_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::unique_ptr<Session>> idle_;
  std::size_t open_ = 0;  // idle, leased and being connected
  std::size_t waiting_ = 0;
  std::chrono::steady_clock::time_point refused_until_{};
};

}  // namespace plexsphere::host::persistence
