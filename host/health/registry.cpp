#include "host/health/registry.hpp"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <nlohmann/json.hpp>
#include <thread>

namespace plexsphere::host::health {

using Clock = std::chrono::steady_clock;

// One probe and its thread. The thread holds a reference of its own, so a hanging probe keeps what
// it stands on.
class Registry::Probe : public std::enable_shared_from_this<Registry::Probe> {
 public:
  Probe(std::string name, std::function<Outcome()> run, ProbeOptions options)
      : name_(std::move(name)), run_(std::move(run)), options_(options) {}

  const std::string& name() const { return name_; }

  // Asks for a run unless one is under way; says since when the run counts.
  void request() {
    const std::lock_guard lock(mutex_);
    if (!has_thread_) {
      has_thread_ = true;
      std::thread([self = shared_from_this()] { self->work(); }).detach();
    }
    if (!running_) {
      running_ = true;
      began_ = Clock::now();
      wake_.notify_all();
    }
  }

  Check wait() {
    std::unique_lock lock(mutex_);
    const auto deadline = began_ + options_.timeout;
    const bool done = wake_.wait_until(lock, deadline, [this] { return !running_; });
    Check check{name_, options_.kind, {}, {}};
    check.outcome =
        done ? last_
             : Outcome{State::kDown,
                       "no answer within " + std::to_string(options_.timeout.count()) + " ms"};
    check.duration = std::chrono::duration_cast<std::chrono::milliseconds>(
        (done ? ended_ : Clock::now()) - began_);
    return check;
  }

  // Lets the thread go once it is idle, and waits for that no longer than `limit`.
  void stop(std::chrono::milliseconds limit) {
    std::unique_lock lock(mutex_);
    stopping_ = true;
    wake_.notify_all();
    wake_.wait_for(lock, limit, [this] { return !has_thread_; });
  }

 private:
  void work() {
    std::unique_lock lock(mutex_);
    for (;;) {
      wake_.wait(lock, [this] { return running_ || stopping_; });
      if (stopping_) {
        break;
      }
      lock.unlock();
      Outcome outcome = run_guarded();
      lock.lock();
      last_ = std::move(outcome);
      ended_ = Clock::now();
      running_ = false;
      wake_.notify_all();
    }
    has_thread_ = false;
    wake_.notify_all();
  }

  Outcome run_guarded() noexcept {
    try {
      return run_();
    } catch (const std::exception&) {
      return {State::kDown, "the probe threw an exception"};
    } catch (...) {
      return {State::kDown, "the probe threw an exception"};
    }
  }

  const std::string name_;
  const std::function<Outcome()> run_;
  const ProbeOptions options_;

  std::mutex mutex_;
  std::condition_variable wake_;
  bool has_thread_ = false;
  bool running_ = false;
  bool stopping_ = false;
  Clock::time_point began_;
  Clock::time_point ended_;
  Outcome last_;
};

const char* state_name(State state) noexcept {
  switch (state) {
    case State::kOk:
      return "ok";
    case State::kDegraded:
      return "degraded";
    case State::kDown:
      return "down";
  }
  return "down";
}

bool Report::ready() const {
  return !draining && std::none_of(checks.begin(), checks.end(), [](const Check& check) {
    return check.kind == Kind::kFailing && check.outcome.state == State::kDown;
  });
}

State Report::state() const {
  if (!ready()) {
    return State::kDown;
  }
  const bool all_ok = std::all_of(checks.begin(), checks.end(), [](const Check& check) {
    return check.outcome.state == State::kOk;
  });
  return all_ok ? State::kOk : State::kDegraded;
}

Registry::Registry() = default;

namespace {

constexpr std::chrono::milliseconds kPatience{200};  // with a probe that has to go

}  // namespace

Registry::~Registry() {
  for (const auto& probe : probes_) {
    probe->stop(kPatience);
  }
}

Status Registry::add(std::string name, std::function<Outcome()> probe, ProbeOptions options) {
  if (name.empty() || !probe) {
    return {Code::kInvalidArgument, "a probe needs a name and a function"};
  }
  if (options.timeout <= std::chrono::milliseconds::zero() ||
      options.timeout > kLongestProbeTimeout) {
    return {Code::kInvalidArgument, "the time-out of probe '" + name + "' is " +
                                        std::to_string(options.timeout.count()) +
                                        " ms; it must be 1 to 60000 ms"};
  }
  const std::lock_guard lock(mutex_);
  for (const auto& other : probes_) {
    if (other->name() == name) {
      return {Code::kAlreadyExists, "there is already a probe '" + name + "'"};
    }
  }
  probes_.push_back(std::make_shared<Probe>(std::move(name), std::move(probe), options));
  return {};
}

void Registry::remove(const std::string& name) noexcept {
  std::shared_ptr<Probe> gone;
  {
    const std::lock_guard lock(mutex_);
    const auto found = std::find_if(probes_.begin(), probes_.end(),
                                    [&name](const auto& probe) { return probe->name() == name; });
    if (found == probes_.end()) {
      return;
    }
    gone = *found;
    probes_.erase(found);
  }
  gone->stop(kPatience);
}

Report Registry::check() {
  if (draining()) {
    return {true, {}};
  }
  std::vector<std::shared_ptr<Probe>> probes;
  {
    const std::lock_guard lock(mutex_);
    probes = probes_;
  }
  for (const auto& probe : probes) {
    probe->request();
  }
  Report report;
  for (const auto& probe : probes) {
    report.checks.push_back(probe->wait());
  }
  report.draining = draining();
  return report;
}

std::string to_json(const Report& report) {
  if (report.draining) {
    return R"({"status":"draining"})";
  }
  const char* status = !report.ready()                      ? "unhealthy"
                       : report.state() == State::kDegraded ? "degraded"
                                                            : "ready";
  nlohmann::ordered_json body{{"status", status}, {"checks", nlohmann::ordered_json::array()}};
  for (const auto& check : report.checks) {
    nlohmann::ordered_json entry{{"name", check.name},
                                 {"ok", check.outcome.state == State::kOk},
                                 {"informational", check.kind == Kind::kInformational},
                                 {"state", state_name(check.outcome.state)},
                                 {"duration_ms", check.duration.count()}};
    if (!check.outcome.detail.empty()) {
      entry["detail"] = check.outcome.detail;
    }
    body["checks"].push_back(std::move(entry));
  }
  return body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace plexsphere::host::health
