// Readiness: named probes, run in parallel, summed up; and the draining flag that overrules them.
//
// The problem: a probe asks something that may hang (a database behind a dead route), and readiness
// is asked every second. So each probe owns one thread, made when it is first run; a probe that
// outlives its time-out counts as down and is not started again until it returns. Threads never
// exceed the number of probes, however often and by however many callers readiness is asked.
//
// Thread safety: all members from any thread. Ownership: the registry owns its probes' threads; a
// probe that still hangs when the registry goes is left behind with its own state, because it
// cannot be interrupted and waiting for it would hang the shutdown.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "host/base/result.hpp"

namespace plexsphere::host::health {

inline constexpr std::chrono::milliseconds kDefaultProbeTimeout{2000};
inline constexpr std::chrono::milliseconds kLongestProbeTimeout{60'000};

enum class State { kOk, kDegraded, kDown };
enum class Kind {
  kFailing,       // down makes the process not ready
  kInformational  // shown, never fails readiness
};

const char* state_name(State state) noexcept;  // "ok", "degraded", "down"

struct Outcome {
  State state = State::kOk;
  std::string detail;  // one sentence; shown to operators, so never a secret
};

struct ProbeOptions {
  std::chrono::milliseconds timeout = kDefaultProbeTimeout;
  Kind kind = Kind::kFailing;
};

struct Check {
  std::string name;
  Kind kind = Kind::kFailing;
  Outcome outcome;
  std::chrono::milliseconds duration{0};
};

struct Report {
  bool draining = false;
  std::vector<Check> checks;  // in order of registration

  // Not draining, and no failing probe is down.
  bool ready() const;
  // Down if not ready, degraded if any check is not ok.
  State state() const;
};

class Registry {
 public:
  Registry();
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;
  ~Registry();

  // Adds a probe. It may block and may throw (which counts as down); it is never run twice at once.
  // Refused: an empty or repeated name, a time-out of zero or above kLongestProbeTimeout.
  Status add(std::string name, std::function<Outcome()> probe, ProbeOptions options = {});

  // Takes a probe out; waits for a run of it that is under way no longer than 200 ms.
  void remove(const std::string& name) noexcept;

  // Runs every probe in parallel and waits for each no longer than its own time-out. A caller that
  // comes while a probe runs shares that run. While draining no probe is run.
  Report check();

  // From now on not ready, whatever the probes say. Cannot be undone.
  void drain() noexcept { draining_.store(true); }
  bool draining() const noexcept { return draining_.load(); }

 private:
  class Probe;

  std::atomic<bool> draining_{false};
  std::mutex mutex_;
  std::vector<std::shared_ptr<Probe>> probes_;  // shared with each probe's own thread
};

// The body of /readyz. {"status":"draining"} while draining; else status, and per probe its name,
// ok, informational, state, detail and duration_ms.
std::string to_json(const Report& report);

}  // namespace plexsphere::host::health
