// Sends requests and tells once what became of each: px.egress's engine, on libcurl.
//
// One thread, started with the first request, drives all transfers. Requests beyond the bounds on
// what is under way wait in order of arrival, each origin for itself, so that one that does not
// answer holds up no other. Waiting counts against a request's deadline.
//
// Thread safety: send, cancel and withdraw from any thread; withdraw and stop not from a
// completion. Ownership: owns the requests until their completion returns. Completions run on the
// engine's thread without a lock held and may call send and cancel.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "host/egress/request.hpp"
#include "host/telemetry/metrics.hpp"

namespace plexsphere::host::egress {

struct EngineOptions {
  std::size_t max_in_flight = 64;
  std::size_t max_per_origin = 8;
  std::size_t max_waiting = 1024;
  // Of bodies and announced answers of all requests that have not ended.
  std::size_t max_held_bytes = 256 * 1024 * 1024;
};

using RequestId = std::uint64_t;

class Engine {
 public:
  Engine(EngineOptions options, telemetry::Metrics& metrics);
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;
  ~Engine();  // as stop

  // `owner` stands for whom `withdraw` may name. After a fault `done` is not called.
  struct Sent {
    RequestId id = 0;  // 0: see fault
    Fault fault;
  };
  Sent send(const void* owner, Request request, Completion done);

  // False: this owner has no such request any more.
  bool cancel(const void* owner, RequestId id);

  // Ends all requests of the owner as "withdrawn", waits for their completions, and takes none of
  // it from now on.
  void withdraw(const void* owner);

  // Ends all requests as "withdrawn" and the thread.
  void stop();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace plexsphere::host::egress
