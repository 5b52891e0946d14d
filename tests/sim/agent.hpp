// One simulated agent of a load: a Node and what it remembers between its turns.
//
// Not thread-safe; one worker at a time has it.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "sim/envelope.hpp"
#include "sim/event_stream.hpp"
#include "sim/node.hpp"
#include "sim/operation_log.hpp"
#include "sim/operator.hpp"

namespace plexsphere::sim {

class Agent {
 public:
  // Views the log and the operator.
  Agent(Node node, std::size_t domain, OperationLog& log, const Operator& op);

  const Node& node() const { return node_; }
  // Which of the load's Domains it is in.
  std::size_t domain() const { return domain_; }

  // False for who pulls, because there is no stream.
  bool streams() const { return stream_.has_value(); }

  // What an agent does in one of its intervals: a heartbeat and what it hints at, the events that
  // have come, the state, and one report. Now and then an operator asks for a new key.
  void take_turn();
  // True when the server has let it go.
  bool leave();

 private:
  void beat();
  void open_stream();
  void read_events();
  void judge(const SseEvent& event);
  void report();
  void ask_for_rotation();

  Node node_;
  std::size_t domain_;
  OperationLog* log_;
  const Operator* operator_;
  EnvelopeVerifier verifier_;
  std::optional<EventStream> stream_;
  std::string last_event_id_;
  std::chrono::steady_clock::time_point next_stream_attempt_;
  unsigned turns_ = 0;
  bool rotation_asked_ = false;
};

}  // namespace plexsphere::sim
