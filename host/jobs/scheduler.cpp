#include "host/jobs/scheduler.hpp"

#include <pqxx/result_iterator.hxx>

#include <algorithm>
#include <utility>

#include "host/persistence/error_capture.hpp"
#include "host/persistence/store_error.hpp"

namespace plexsphere::host::jobs {

using persistence::StoreError;

// FNV-1a, 64 bit (draft-eastlake-fnv): stable across builds, which std::hash is not.
std::int64_t lock_key(const std::string& full_name) {
  std::uint64_t hash = 14695981039346656037u;
  for (const char c : "plexsphere/job/" + full_name) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 1099511628211u;
  }
  return static_cast<std::int64_t>(hash);
}

// What a job sees of its run, and what remains to be cleaned up after it.
struct Scheduler::Run {
  Scheduler& scheduler;
  const persistence::Client& client;
  px_tx* latest = nullptr;

  [[nodiscard]] px_job_run wire() {
    px_job_run run{};
    run.struct_size = sizeof(px_job_run);
    run.self = this;
    run.begin = [](void* self, px_tx** out, px_error* err) {
      return persistence::guarded_call(err, [&] { *out = static_cast<Run*>(self)->begin(); });
    };
    run.should_stop = [](void* self) -> std::int32_t {
      return static_cast<Run*>(self)->should_stop() ? 1 : 0;
    };
    return run;
  }

  px_tx* begin() {
    if (scheduler.session_->in_transaction()) {
      throw StoreError(PX_FAILED_PRECONDITION, "one_at_a_time",
                       "the job's previous transaction is still open");
    }
    latest = scheduler.store_.begin_on(*scheduler.session_, client);
    return latest;
  }

  [[nodiscard]] bool should_stop() const {
    return scheduler.stopping_.load() || scheduler.session_->broken() ||
           scheduler.session_->peer_gone();
  }

  // A job that forgot to end its transaction must not leave it to the next one.
  bool close() {
    if (!scheduler.session_->in_transaction()) {
      return false;
    }
    scheduler.store_.rollback(latest);
    return true;
  }
};

Scheduler::Scheduler(persistence::Store& store, SchedulerOptions options, persistence::LogSink log,
                     SchedulerObserver observer)
    : store_(store),
      options_(std::move(options)),
      log_(std::move(log)),
      observer_(std::move(observer)) {}

Scheduler::~Scheduler() {
  stop();
}

void Scheduler::add(Job job) {
  if (!job.run || job.name.empty() || job.period < kShortestPeriod || job.period > kLongestPeriod) {
    throw StoreError(PX_INVALID_ARGUMENT, "job_invalid",
                     "a job needs a name, a function and a period of 100 ms to one day; '" +
                         job.full_name() + "' has " + std::to_string(job.period.count()) + " ms");
  }
  const std::lock_guard lock(mutex_);
  if (started_) {
    throw StoreError(PX_FAILED_PRECONDITION, "jobs_started",
                     "job '" + job.full_name() + "' comes after start; add it in configure");
  }
  const bool taken = std::ranges::any_of(
      entries_, [&](const auto& entry) { return entry->job.full_name() == job.full_name(); });
  if (taken) {
    throw StoreError(PX_ALREADY_EXISTS, "job_exists",
                     "job '" + job.full_name() + "' is registered twice");
  }
  entries_.push_back(std::make_unique<Entry>());
  entries_.back()->job = std::move(job);
}

void Scheduler::remove(const std::string& context) {
  const std::lock_guard lock(mutex_);
  if (started_) {
    return;  // a plugin that withdraws later does so after drain, and then nothing runs any more
  }
  std::erase_if(entries_, [&](const auto& entry) { return entry->job.client.context == context; });
}

void Scheduler::start() {
  const std::lock_guard lock(mutex_);
  if (started_) {
    return;
  }
  started_ = true;
  thread_ = std::thread([this] { loop(); });
}

bool Scheduler::drain(std::chrono::steady_clock::time_point deadline) {
  stopping_.store(true);
  changed_.notify_all();
  std::unique_lock lock(mutex_);
  return changed_.wait_until(lock, deadline, [&] { return !running_; });
}

void Scheduler::stop() {
  stopping_.store(true);
  {
    const std::lock_guard lock(mutex_);  // so that the loop cannot miss the notice
  }
  changed_.notify_all();
  if (thread_.joinable()) {
    thread_.join();
  }
}

void Scheduler::wake(const std::string& full_name) {
  {
    const std::lock_guard lock(mutex_);
    wakes_.insert(full_name);
  }
  changed_.notify_all();
}

bool Scheduler::leads(const std::string& full_name) const {
  const std::lock_guard lock(mutex_);
  return std::ranges::any_of(entries_, [&](const auto& entry) {
    return entry->held && entry->job.full_name() == full_name;
  });
}

void Scheduler::loop() {
  while (!stopping_.load()) {
    try {
      step();
    } catch (
        const std::exception& error) {  // e.g. out of memory: the lease goes, the process stays
      if (log_) {
        log_(PX_LOG_ERROR, "jobs.failed", {{"detail", error.what()}});
      }
      lose_session();
    }
    std::unique_lock lock(mutex_);
    changed_.wait_until(lock, next_due(),
                        [&] { return stopping_.load() || (session_ && !wakes_.empty()); });
  }
  lose_session();
}

void Scheduler::step() {
  if (!ensure_session()) {
    return;
  }
  forward_wakes();
  poll_wakes();
  for (const auto& entry : entries_) {
    if (stopping_.load() || session_->broken()) {
      break;
    }
    if (Clock::now() < entry->due) {
      continue;
    }
    if (!entry->held) {
      take_lease(*entry);
    }
    if (entry->held) {
      run_job(*entry);
    }
  }
  if (session_->broken() || session_->peer_gone()) {
    lose_session();
  }
}

bool Scheduler::ensure_session() {
  if (session_) {
    return true;
  }
  if (Clock::now() < reconnect_at_) {
    return false;
  }
  try {
    session_ = std::make_unique<persistence::Session>(options_.session);
    complained_ = false;
    return true;
  } catch (const StoreError& error) {
    if (!std::exchange(complained_, true)) {  // once per outage
      log_failure(error, "connect");
    }
    reconnect_at_ = Clock::now() + options_.reconnect;
    return false;
  }
}

void Scheduler::lose_session() {
  for (const auto& entry : entries_) {
    set_held(*entry, false);
  }
  session_.reset();
}

void Scheduler::take_lease(Entry& entry) {
  entry.due = Clock::now() + options_.lease_retry;
  try {
    const auto row = session_->run("SELECT pg_catalog.pg_try_advisory_lock($1::bigint)",
                                   {std::to_string(lock_key(entry.job.full_name()))})[0];
    set_held(entry, row[0].as<bool>());
  } catch (const StoreError& error) {
    log_failure(error, entry.job.full_name());
  }
}

void Scheduler::run_job(Entry& entry) {
  {
    const std::lock_guard lock(mutex_);
    running_ = true;
    wakes_.erase(entry.job.full_name());
  }
  const auto began = Clock::now();
  px_status outcome = PX_INTERNAL;
  std::string detail;
  Run run{*this, entry.job.client};
  run_guarded(entry, run, outcome, detail);
  if (run.close()) {
    outcome = PX_INTERNAL;
    detail = "the job returned with its transaction open; it was rolled back";
  }
  const double seconds = std::chrono::duration<double>(Clock::now() - began).count();
  if (observer_.ran) {
    observer_.ran(entry.job.full_name(), outcome, seconds);
  }
  if (outcome != PX_OK && log_) {
    log_(PX_LOG_WARN, "job.failed",
         {{"job", entry.job.full_name()}, {"status", std::to_string(outcome)}, {"detail", detail}});
  }
  entry.due = Clock::now() + jittered(entry.job.period);
  {
    const std::lock_guard lock(mutex_);
    running_ = false;
  }
  changed_.notify_all();
}

void Scheduler::run_guarded(Entry& entry, Run& run, px_status& outcome, std::string& detail) {
  persistence::ErrorCapture error;
  const px_job_run wire = run.wire();
  const px_status thrown =
      persistence::guarded_call(error.sink(), [&] { outcome = entry.job.run(wire, error.sink()); });
  if (thrown != PX_OK) {
    outcome = thrown;
  }
  detail = error.detail();
}

// Requests for jobs that another replica leads go through the database; nobody notifies.
void Scheduler::forward_wakes() {
  std::set<std::string> wanted;
  {
    const std::lock_guard lock(mutex_);
    wanted.swap(wakes_);
  }
  for (const auto& entry : entries_) {
    if (wanted.erase(entry->job.full_name()) == 0) {
      continue;
    }
    entry->due = {};  // runs now if led here or free to be led
    if (entry->held) {
      continue;
    }
    take_lease(*entry);
    if (entry->held) {
      entry->due = {};
      continue;
    }
    try {
      session_->begin({host_client_.role, false, {}});
      session_->run(
          "INSERT INTO platform.job_wake AS w (job, requests) VALUES ($1, 1) "
          "ON CONFLICT (job) DO UPDATE SET requests = w.requests + 1",
          {entry->job.full_name()});
      session_->commit();
    } catch (const StoreError& error) {
      session_->rollback();
      log_failure(error, "wake");
    }
  }
}

void Scheduler::poll_wakes() {
  const bool leads_any =
      std::ranges::any_of(entries_, [](const auto& entry) { return entry->held; });
  if (!leads_any || Clock::now() < poll_at_) {
    return;
  }
  poll_at_ = Clock::now() + options_.wake_poll;
  try {
    session_->begin({host_client_.role, true, {}});
    const auto rows = session_->run("SELECT job, requests FROM platform.job_wake");
    session_->commit();
    for (const auto& entry : entries_) {
      for (const auto& row : rows) {
        const auto requests = row[1].as<std::int64_t>();
        if (entry->held && entry->job.full_name() == row[0].c_str() &&
            requests != std::exchange(entry->seen_requests, requests)) {
          entry->due = {};
        }
      }
    }
  } catch (const StoreError& error) {
    session_->rollback();
    log_failure(error, "wake_poll");
  }
}

void Scheduler::set_held(Entry& entry, bool held) {
  const bool changed = [&] {
    const std::lock_guard lock(mutex_);
    return std::exchange(entry.held, held) != held;
  }();
  if (!changed) {
    return;
  }
  if (observer_.leads) {
    observer_.leads(entry.job.full_name(), held);
  }
  if (log_) {
    log_(PX_LOG_INFO, held ? "job.lease_taken" : "job.lease_lost",
         {{"job", entry.job.full_name()}});
  }
}

Scheduler::Clock::time_point Scheduler::next_due() const {
  const auto now = Clock::now();
  if (!session_) {
    return std::max(reconnect_at_, now + std::chrono::milliseconds{10});
  }
  auto next = now + options_.wake_poll;  // also how soon a lost connection is noticed
  for (const auto& entry : entries_) {
    next = std::min(next, entry->due);
  }
  return next;
}

std::chrono::milliseconds Scheduler::jittered(std::chrono::milliseconds period) {
  std::uniform_real_distribution<double> spread(0.9, 1.1);
  return std::chrono::milliseconds{
      static_cast<std::int64_t>(static_cast<double>(period.count()) * spread(random_))};
}

void Scheduler::log_failure(const StoreError& error, std::string_view what) {
  if (log_) {
    log_(PX_LOG_WARN, "jobs.database_failed",
         {{"step", std::string{what}}, {"reason", error.reason()}, {"detail", error.what()}});
  }
}

}  // namespace plexsphere::host::jobs
