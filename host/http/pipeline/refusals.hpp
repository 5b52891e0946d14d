// Answers, counts and logs what the engine refuses before it is a request.
//
// A flood of refusals must not become a flood of lines: of each reason 20 are told in a second, the
// rest is counted and told as one line once the second is over.
//
// Thread safety: all members from any thread. Ownership: none; logger and metrics outlive it.
#pragma once

#include <prometheus/counter.h>
#include <prometheus/family.h>

#include <chrono>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "host/http/engine.hpp"

namespace plexsphere::host {
namespace telemetry {
class Logger;
class Metrics;
}  // namespace telemetry

namespace http::detail {

class Refusals {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr unsigned kLinesPerSecond = 20;  // of one reason

  Refusals(telemetry::Logger& log, telemetry::Metrics& metrics);

  Response answer(const Refusal& refusal, std::string_view peer, Clock::time_point now);
  // Tells of what was kept silent in seconds that are over. To be called now and then.
  void tell_suppressed(Clock::time_point now);

 private:
  struct Reason {
    prometheus::Counter* counter = nullptr;
    Clock::time_point second_began{};
    unsigned told = 0;        // in this second
    unsigned suppressed = 0;  // since the last line about it
  };

  // Counts one; whether it may be told.
  bool count(std::string_view reason, Clock::time_point now);

  telemetry::Logger& log_;
  prometheus::Family<prometheus::Counter>& total_;
  std::mutex mutex_;
  std::map<std::string, Reason, std::less<>> reasons_;  // as many as the engine has names for
};

}  // namespace http::detail
}  // namespace plexsphere::host
