// A client that does nothing wrong, while others do: it asks again and again, on a thread of its
// own, and notes whether it was answered.
//
// Thread safety: as its owner's thread calls it. Ownership: owns its thread and connection; the
// host must outlive it.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "support/wire_client.hpp"

namespace plexsphere::hostile {

class HostRig;

// Completed by another thread, so that the request passes through a worker twice.
inline constexpr const char* kLater = "/v1/good/later";

// What a good client may be made to wait for an answer, connecting included. Far below every
// time-out under which the hostile ones end, and far above what a loaded machine takes. Sanitizers
// slow the host down tenfold, and with it whoever stands in line behind honest work.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif
inline constexpr std::chrono::milliseconds kBearable{kSanitized ? 20'000 : 2'000};

class GoodClient {
 public:
  using Connect = std::function<test_support::WireClient()>;
  enum class Manner : unsigned char {
    kStays,    // keeps the connection it made first
    kReturns,  // makes a new one for every request
  };
  GoodClient(Connect connect, Manner manner, const std::string& path = kLater);
  ~GoodClient();
  GoodClient(const GoodClient&) = delete;
  GoodClient& operator=(const GoodClient&) = delete;

  // Waits until so many more requests have been answered with 200. False when one was not.
  bool is_served(std::size_t more) const;
  // Ends it. What went wrong first, or nothing. A client that an answer told to leave has left by
  // itself.
  std::string stop();
  // Of one request.
  std::chrono::milliseconds slowest() const { return std::chrono::milliseconds(slowest_ms_); }

 private:
  void run();
  bool ask(test_support::WireClient& client) const;

  const Connect connect_;
  const Manner manner_;
  const std::string request_;
  std::atomic<bool> stopping_{false};
  std::atomic<bool> failed_{false};
  std::atomic<std::size_t> served_{0};
  std::atomic<std::int64_t> slowest_ms_{0};
  std::string failure_;  // before failed_, read after the thread has ended
  std::thread thread_;
};

// One of each manner on plain TCP and on TLS.
class GoodClients {
 public:
  using Manner = GoodClient::Manner;
  explicit GoodClients(const HostRig& rig, const std::string& path = kLater,
                       const std::vector<Manner>& manners = {Manner::kStays, Manner::kReturns});

  std::size_t count() const { return clients_.size(); }
  bool are_served(std::size_t more = 25) const;
  // What went wrong first for each, or nothing.
  std::string stop();
  std::chrono::milliseconds slowest() const;

 private:
  std::deque<GoodClient> clients_;
};

}  // namespace plexsphere::hostile
