// The HTTP engine behind the host: moves bytes and owns connections, knows no routes.
//
// The engine reads a request head, asks the sink how large a body it takes, reads the body and
// hands the whole request over with a Reply. The answer may come at once or later, from any thread.
// An engine is replaced by implementing this header; nothing above it changes.
//
// Thread safety: as stated per function. Ownership: the engine owns its threads and connections;
// the sink must outlive the engine.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "host/base/result.hpp"
#include "host/http/message.hpp"

namespace plexsphere::host::http {

// The engine's side of one request. Any thread may call it; exactly one of send and send_now is
// called, once. It stays usable (and does nothing) after the connection is gone.
class Reply {
 public:
  Reply() = default;
  Reply(const Reply&) = delete;
  Reply& operator=(const Reply&) = delete;
  virtual ~Reply() = default;

  virtual void send(Response response) = 0;
  // For an answer that must not wait until the worker that is inside the handler comes back: the
  // request's deadline has passed.
  virtual void send_now(Response response) = 0;
  // Runs `task` on a host worker, where it may block. Used to go on with a request after a step
  // completed on a thread that is not the host's. Not to be called after the answer.
  virtual void run(std::function<void()> task) = 0;
};

class RequestSink {
 public:
  virtual ~RequestSink() = default;

  // Bytes of raw body this request may carry; 0 for none. Called before the body is read. Must not
  // block and must not throw. Any thread.
  virtual std::size_t body_limit(const RequestHead& head) noexcept = 0;
  // Takes a request. Called on a worker; may block. Must not throw.
  virtual void handle(Request request, std::shared_ptr<Reply> reply) noexcept = 0;
};

struct EngineOptions {
  std::size_t workers = 64;  // threads; with the stock engine also the busy connections served
  std::size_t max_waiting = 1024;  // accepted connections waiting for a worker; beyond it they are
                                   // closed and counted
  std::chrono::milliseconds idle_timeout{30'000};     // of a kept connection between requests
  std::chrono::milliseconds receive_timeout{15'000};  // for each wait for bytes of a request
};

class Engine {
 public:
  Engine() = default;
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;
  virtual ~Engine() = default;

  // Opens a listener on "host:port", ":port" (every interface) or "unix:/path", and serves it from
  // now on. Port 0 takes a free one. Errors name the address and the cause. [init]
  virtual Status listen(const std::string& address) = 0;
  // The addresses really bound, in the order of listen ("127.0.0.1:40113", "unix:/path").
  virtual std::vector<std::string> addresses() const = 0;

  // Answers carry "Connection: close" from now on, so that clients leave by themselves. Any thread.
  virtual void discourage() noexcept = 0;
  // Closes the listeners and idle connections; requests under way go on. Any thread.
  virtual void stop_accepting() noexcept = 0;
  // True when no request is under way any more; false when `deadline` came first.
  virtual bool wait_idle(std::chrono::steady_clock::time_point deadline) = 0;
  // Cuts every connection that is left. Any thread.
  virtual void force_close() noexcept = 0;
  // Requests under way. Any thread.
  virtual std::size_t in_flight() const noexcept = 0;
  // Connections closed because max_waiting was reached. Any thread.
  virtual std::size_t refused() const noexcept = 0;
};

}  // namespace plexsphere::host::http
