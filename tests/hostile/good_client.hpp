// A client that does nothing wrong, while others do: it asks again and again, on a thread of its
// own, and notes whether it was answered.
//
// Thread safety: as its owner's thread calls it. Ownership: owns its thread and connection; the
// host must outlive it.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <thread>

#include "support/wire_client.hpp"

namespace plexsphere::hostile {

class GoodClient {
 public:
  using Connect = std::function<test_support::WireClient()>;
  enum class Manner : unsigned char {
    kStays,    // keeps the connection it made first
    kReturns,  // makes a new one for every request
  };
  GoodClient(Connect connect, Manner manner);
  ~GoodClient();
  GoodClient(const GoodClient&) = delete;
  GoodClient& operator=(const GoodClient&) = delete;

  // Waits until so many more requests have been answered with 200. False when one was not.
  bool is_served(std::size_t more = 50) const;
  // Ends it. What went wrong first, or nothing.
  std::string stop();
  // Of one request.
  std::chrono::milliseconds slowest() const { return std::chrono::milliseconds(slowest_ms_); }

 private:
  void run();
  void ask(test_support::WireClient& client);

  const Connect connect_;
  const Manner manner_;
  std::atomic<bool> stopping_{false};
  std::atomic<bool> failed_{false};
  std::atomic<std::size_t> served_{0};
  std::atomic<std::int64_t> slowest_ms_{0};
  std::string failure_;  // before failed_, read after the thread has ended
  std::thread thread_;
};

}  // namespace plexsphere::hostile
