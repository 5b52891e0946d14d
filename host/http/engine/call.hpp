// One request with a worker or a handler, and the way back for its answer.
//
// Thread safety: as Reply. Ownership: shared by the lane, the handler and whoever completes it;
// holds its connection.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>

#include "host/http/engine.hpp"
#include "host/http/engine/connection.hpp"
#include "host/http/engine/worker_lane.hpp"

namespace plexsphere::host::http::engine {

// How many calls there are. Shared by the engine and its calls, because a handler may hold one for
// longer than there is an engine.
class CallTally {
 public:
  std::atomic<std::size_t> open{0};
  std::atomic<std::size_t> made{0};  // since the beginning

  // Runs `use`, during which the engine stays, unless it is gone. Must not block.
  template <typename Use>
  void with_engine(Use use) {
    const std::shared_lock lock(mutex_);
    if (!gone_) {
      use();
    }
  }
  // The engine goes, once nobody uses it.
  void leave() {
    const std::unique_lock lock(mutex_);
    gone_ = true;
  }

 private:
  std::shared_mutex mutex_;
  bool gone_ = false;  // under mutex_
};

// What a call needs of its engine. Its own threads may use it as they are; others only inside
// CallTally::with_engine.
class CallHost {
 public:
  virtual ~CallHost() = default;
  virtual std::shared_ptr<CallTally> tally() noexcept = 0;
  virtual RequestSink& sink() noexcept = 0;
  virtual WorkerLane& lane(Lane lane) noexcept = 0;
  virtual bool closing() const noexcept = 0;                // answers ask the client to leave
  virtual std::chrono::seconds retry_after() noexcept = 0;  // jittered
  // The end of a call: exactly one of the two, any thread.
  virtual void answered(const std::shared_ptr<Connection>& connection, std::string bytes,
                        bool keep) noexcept = 0;
  virtual void give_away(std::shared_ptr<Connection> connection, std::string head, bool chunked,
                         Reply::Taker taker) noexcept = 0;
};

// A whole request as it was received.
struct Received {
  std::string raw_head;
  wire::Head facts;  // its views point into raw_head once it rests in the call
  std::string body;
  BufferShare share;  // for `body`, wherever that goes, until the call ends
  bool overflow = false;
  bool must_close = false;  // bytes of this request are still on their way
  std::chrono::steady_clock::time_point arrived{};
};

class Call final : public Job, public Reply, public std::enable_shared_from_this<Call> {
 public:
  Call(CallHost& host, std::shared_ptr<CallTally> tally, std::shared_ptr<Connection> connection,
       Received received, Lane lane);
  ~Call() override;

  void work() noexcept override;
  void shed() noexcept override;

  void send(Response response) override;
  void detach(Response response, Taker taker) override;
  void run(std::function<void()> task) override;

 private:
  bool claim() { return !answered_.exchange(true); }
  void write(const Response& response) noexcept;
  Request take_request();

  CallHost& host_;
  const std::shared_ptr<CallTally> tally_;
  const std::shared_ptr<Connection> connection_;
  Received received_;
  const Lane lane_;
  const bool head_only_;
  std::atomic<bool> answered_{false};
};

}  // namespace plexsphere::host::http::engine
