// A Node's event stream, as the agent holds it: server-sent events, one after the other.
//
// Not thread-safe. Owns its connection.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sim/sse.hpp"

namespace plexsphere::sim {

// Why there is no stream.
struct StreamRefusal {
  int status = 0;
  std::string code;  // of the problem

  // The server of this version has no stream: an agent pulls instead.
  bool not_provisioned() const {
    return status == 501 && code == "signed_event_bus_not_provisioned";
  }
};

class EventStream {
 public:
  // Opens `path` at `base`, resuming after `last_event_id` unless it is empty. Throws
  // std::runtime_error when there is no answer.
  EventStream(const std::string& base, const std::string& path, const std::string& bearer,
              const std::string& last_event_id);
  ~EventStream();
  EventStream(EventStream&& other) noexcept;
  EventStream& operator=(EventStream&& other) noexcept;

  // Set when the server refused; there are no events then.
  const std::optional<StreamRefusal>& refusal() const { return refusal_; }

  // Some of what has come, waiting up to `patience` for the first of it; keep-alives are no events.
  // Throws std::runtime_error when the stream has ended, std::length_error at a line too long.
  std::vector<SseEvent> events(std::chrono::milliseconds patience);
  const std::string& last_id() const { return parser_.last_id(); }

 private:
  class Connection;

  std::unique_ptr<Connection> connection_;
  std::optional<StreamRefusal> refusal_;
  SseParser parser_;
};

}  // namespace plexsphere::sim
