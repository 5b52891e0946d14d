#include "sim/agent.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <stdexcept>

namespace plexsphere::sim {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

namespace {

constexpr auto kBetweenStreamAttempts = 10min;  // where there is no stream
constexpr unsigned kTurnsBetweenRotations = 8;
constexpr const char* kReport = "sim.uptime";

sdk::Instant now() {
  return std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
}

}  // namespace

Agent::Agent(Node node, std::size_t domain, OperationLog& log, const Operator& op)
    : node_(std::move(node)),
      domain_(domain),
      log_(&log),
      operator_(&op),
      verifier_(node_.signing_key().id, node_.signing_key().public_key) {}

void Agent::take_turn() {
  beat();
  read_events();
  log_->run("state", [this] { (void)node_.state(); });
  report();
  if (++turns_ % kTurnsBetweenRotations == 1) {
    ask_for_rotation();
  }
}

bool Agent::leave() {
  stream_.reset();
  return log_->run("deregister", [this] { node_.deregister(); });
}

void Agent::beat() {
  HeartbeatAnswer answer;
  if (!log_->run("heartbeat", [&] { answer = node_.beat(); })) {
    return;
  }
  if (answer.rotate_keys != rotation_asked_) {
    log_->fail("heartbeat",
               node_.id() + (rotation_asked_ ? " is not told of its key rotation"
                                             : " is told of a rotation that none asked for"));
  }
  if (answer.rotate_keys) {
    rotation_asked_ = !log_->run("rotate_key", [this] { node_.rotate_key(); });
  }
}

void Agent::open_stream() {
  next_stream_attempt_ = Clock::now() + kBetweenStreamAttempts;
  std::optional<EventStream> opened;
  if (!log_->run("events_open", [&] { opened.emplace(node_.events(last_event_id_)); })) {
    return;
  }
  if (const auto& refusal = opened->refusal()) {
    if (refusal->not_provisioned()) {
      log_->come_back("events_open");  // until then it pulls
    } else {
      log_->fail("events_open", std::to_string(refusal->status) + " " + refusal->code);
    }
    return;
  }
  stream_ = std::move(opened);
}

void Agent::read_events() {
  if (!stream_ && Clock::now() >= next_stream_attempt_) {
    open_stream();
  }
  if (!stream_) {
    return;
  }
  try {
    for (auto some = stream_->events(0ms); !some.empty(); some = stream_->events(0ms)) {
      std::ranges::for_each(some, [this](const SseEvent& event) { judge(event); });
    }
    last_event_id_ = stream_->last_id();
    return;
  } catch (const std::length_error& error) {
    log_->fail("event", error.what());
  } catch (const std::runtime_error&) {
    log_->come_back("events_open");  // a replica that goes ends its streams
  }
  last_event_id_ = stream_->last_id();
  stream_.reset();
  next_stream_attempt_ = {};
}

void Agent::judge(const SseEvent& event) {
  log_->run("event", [&] {
    const Envelope envelope = parse_envelope(event.data);
    if (const Verdict verdict = verifier_.verify(envelope, now()); verdict != Verdict::kGenuine) {
      throw std::runtime_error("event " + event.id + " is " + std::string(text_of(verdict)));
    }
    if (envelope.type == "signing_key_rotated" && !verifier_.rotate(envelope)) {
      throw std::runtime_error("event " + event.id + " names no key that can be used");
    }
  });
}

// Another report each turn.
void Agent::report() {
  switch (turns_ % 4) {
    case 0:
      log_->run("endpoint", [this] {
        node_.report_endpoint("203.0.113.7:" + std::to_string(10'000 + turns_ % 50'000));
      });
      return;
    case 1:
      log_->run("capabilities", [this] { node_.report_capabilities(); });
      return;
    case 2:
      log_->run("put_report", [this] { node_.put_report(kReport, std::to_string(turns_)); });
      return;
    default:
      log_->run("delete_report", [this] { node_.delete_report(kReport); });
  }
}

void Agent::ask_for_rotation() {
  rotation_asked_ =
      log_->run("request_rotation", [this] { operator_->request_key_rotation(node_.id()); });
}

}  // namespace plexsphere::sim
