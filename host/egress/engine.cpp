#include "host/egress/engine.hpp"

#include <pthread.h>
#include <signal.h>  // NOLINT: sigaddset

#include <algorithm>
#include <condition_variable>
#include <list>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

#include "host/egress/transfer.hpp"

namespace plexsphere::host::egress {
namespace {

using Clock = std::chrono::steady_clock;

// What keeps the thread from sleeping for ever should a wake-up be lost.
constexpr std::chrono::milliseconds kLongestSleep{1'000};

Fault withdrawn() {
  return {Code::kUnavailable, "withdrawn", "the plugin is being stopped"};
}

std::size_t held_by(const Request& request) {
  return request.body.size() + request.max_response_bytes;
}

// One request from send to the return of its completion.
struct Job {
  RequestId id = 0;
  const void* owner = nullptr;
  Request request;
  Completion done;
  std::optional<Fault> ended;          // cancelled or withdrawn; under the engine's lock
  std::unique_ptr<Transfer> transfer;  // once under way; the thread's
};

struct FreeMulti {
  void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
};

}  // namespace

struct Engine::Impl {
  Impl(EngineOptions given, telemetry::Metrics& metrics)
      : options(given),
        in_flight_gauge(
            metrics.gauge("plexsphere_egress_in_flight", "Requests of px.egress under way.")
                .Add({})),
        waiting_gauge(metrics
                          .gauge("plexsphere_egress_waiting",
                                 "Requests of px.egress that wait for their turn.")
                          .Add({})),
        held_gauge(metrics
                       .gauge("plexsphere_egress_held_bytes",
                              "Bytes of bodies and announced answers that px.egress holds.")
                       .Add({})) {
    initialise_curl();
    multi.reset(curl_multi_init());
    if (!multi) {
      throw std::bad_alloc();
    }
    curl_multi_setopt(multi.get(), CURLMOPT_PIPELINING, static_cast<long>(CURLPIPE_NOTHING));
    curl_multi_setopt(multi.get(), CURLMOPT_MAXCONNECTS, static_cast<long>(options.max_in_flight));
  }

  using Jobs = std::list<std::unique_ptr<Job>>;

  const EngineOptions options;
  prometheus::Gauge& in_flight_gauge;
  prometheus::Gauge& waiting_gauge;
  prometheus::Gauge& held_gauge;
  std::unique_ptr<CURLM, FreeMulti> multi;

  std::mutex mutex;
  std::condition_variable ended;                   // a job's completion has returned
  std::map<RequestId, std::unique_ptr<Job>> jobs;  // all that have not ended
  std::list<Job*> waiting;                         // of those, in order of arrival
  std::map<std::string, std::size_t> per_origin;   // under way
  std::size_t in_flight = 0;
  std::size_t held = 0;
  std::map<const void*, std::size_t> open;  // completions that are owed, by owner
  std::set<const void*> closed;
  RequestId last = 0;
  bool stopping = false;
  bool wanted = false;  // there may be something to begin or to end
  std::thread thread;

  void wake() { curl_multi_wakeup(multi.get()); }

  std::optional<Fault> refusal(const void* owner, const Request& request) const {
    if (stopping || closed.count(owner) != 0) {
      return withdrawn();
    }
    if (waiting.size() >= options.max_waiting) {
      return Fault{Code::kResourceExhausted, "egress_full",
                   std::to_string(waiting.size()) + " requests wait already"};
    }
    if (held + held_by(request) > options.max_held_bytes) {
      return Fault{Code::kResourceExhausted, "egress_full",
                   "bodies and announced answers of all requests would exceed " +
                       std::to_string(options.max_held_bytes) + " bytes"};
    }
    return std::nullopt;
  }

  void show() {
    in_flight_gauge.Set(static_cast<double>(in_flight));
    waiting_gauge.Set(static_cast<double>(waiting.size()));
    held_gauge.Set(static_cast<double>(held));
  }

  // --- the thread ------------------------------------------------------------------------------

  void run() {
    // libcurl leaves the signal of a closed connection to us, because of CURLOPT_NOSIGNAL.
    sigset_t pipe;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
    while (begin_waiting()) {
      int running = 0;
      curl_multi_perform(multi.get(), &running);
      finish_done();
      finish_ended();
      curl_multi_poll(multi.get(), nullptr, 0, sleep_ms(), nullptr);
    }
  }

  // Gives waiting jobs a transfer while there is room; false once all is over.
  bool begin_waiting() {
    std::vector<Job*> begun;
    {
      const std::lock_guard lock(mutex);
      wanted = false;
      if (stopping && jobs.empty()) {
        return false;
      }
      for (auto at = waiting.begin(); at != waiting.end() && in_flight < options.max_in_flight;) {
        if ((*at)->ended) {
          ++at;
          continue;
        }
        auto& busy = per_origin[(*at)->request.origin.text()];
        if (busy >= options.max_per_origin) {
          ++at;
          continue;
        }
        ++busy;
        ++in_flight;
        begun.push_back(*at);
        at = waiting.erase(at);
      }
      show();
    }
    for (Job* job : begun) {
      begin(*job);
    }
    return true;
  }

  void begin(Job& job) {
    try {
      job.transfer = std::make_unique<Transfer>(job.request);
      CURL* handle = job.transfer->handle();
      if (curl_easy_setopt(handle, CURLOPT_PRIVATE, static_cast<void*>(&job)) == CURLE_OK &&
          curl_multi_add_handle(multi.get(), handle) == CURLM_OK) {
        return;
      }
    } catch (const std::exception&) {
      // Told below.
    }
    job.transfer.reset();
    finish(job, {std::nullopt, {Code::kInternal, "internal", "the request could not be begun"}},
           true);
  }

  void finish_done() {
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi.get(), &left)) {
      if (message->msg != CURLMSG_DONE) {
        continue;
      }
      const CURLcode code = message->data.result;
      Job* job = nullptr;
      curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &job);
      Outcome outcome = job->transfer->outcome(code);
      drop_transfer(*job);
      finish(*job, std::move(outcome), true);
    }
  }

  void drop_transfer(Job& job) {
    if (job.transfer) {
      curl_multi_remove_handle(multi.get(), job.transfer->handle());
      job.transfer.reset();
    }
  }

  // Those that were cancelled or withdrawn, and those whose time is over.
  void finish_ended() {
    std::vector<std::pair<Job*, Fault>> over;
    {
      const std::lock_guard lock(mutex);
      const auto now = Clock::now();
      for (const auto& [id, job] : jobs) {
        if (job->ended) {
          over.emplace_back(job.get(), *job->ended);
        } else if (job->request.deadline <= now) {
          over.emplace_back(
              job.get(), Fault{Code::kDeadlineExceeded, "deadline",
                               job->request.origin.text() +
                                   (job->transfer ? ": there was no whole answer in time"
                                                  : ": the request's turn did not come in time")});
        }
      }
    }
    for (auto& [job, fault] : over) {
      const bool began = job->transfer != nullptr;
      drop_transfer(*job);
      finish(*job, {std::nullopt, std::move(fault)}, began);
    }
  }

  // Takes the job out, tells its owner, and counts it as ended only then.
  void finish(Job& ending, Outcome outcome, bool began) {
    std::unique_ptr<Job> job;
    {
      const std::lock_guard lock(mutex);
      const auto found = jobs.find(ending.id);
      job = std::move(found->second);
      jobs.erase(found);
      wanted = true;  // there may be room for another
      if (began) {
        --in_flight;
        const auto origin = per_origin.find(job->request.origin.text());
        if (--origin->second == 0) {
          per_origin.erase(origin);
        }
      } else {
        waiting.remove(job.get());
      }
      show();
    }
    try {
      job->done(std::move(outcome));
    } catch (...) {
      // There is nobody to tell.
    }
    const std::lock_guard lock(mutex);
    held -= held_by(job->request);
    show();
    if (--open[job->owner] == 0) {
      open.erase(job->owner);
    }
    ended.notify_all();
  }

  int sleep_ms() {
    const std::lock_guard lock(mutex);
    if (wanted) {
      return 0;
    }
    auto until = Clock::now() + kLongestSleep;
    for (const auto& [id, job] : jobs) {
      until = std::min(until, job->request.deadline);
    }
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
    return static_cast<int>(std::max<std::int64_t>(0, left));
  }
};

Engine::Engine(EngineOptions options, telemetry::Metrics& metrics)
    : impl_(std::make_unique<Impl>(options, metrics)) {}

Engine::~Engine() {
  stop();
}

Engine::Sent Engine::send(const void* owner, Request request, Completion done) {
  auto job = std::make_unique<Job>();
  job->owner = owner;
  job->request = std::move(request);
  job->done = std::move(done);
  const std::lock_guard lock(impl_->mutex);
  if (auto fault = impl_->refusal(owner, job->request)) {
    return {0, std::move(*fault)};
  }
  if (!impl_->thread.joinable()) {
    impl_->thread = std::thread([impl = impl_.get()] { impl->run(); });
  }
  const RequestId id = ++impl_->last;
  job->id = id;
  impl_->held += held_by(job->request);
  impl_->waiting.push_back(job.get());
  impl_->jobs.emplace(id, std::move(job));
  ++impl_->open[owner];
  impl_->show();
  impl_->wake();
  return {id, {}};
}

bool Engine::cancel(const void* owner, RequestId id) {
  const std::lock_guard lock(impl_->mutex);
  const auto found = impl_->jobs.find(id);
  if (found == impl_->jobs.end() || found->second->owner != owner || found->second->ended) {
    return false;
  }
  found->second->ended = Fault{Code::kCancelled, "cancelled", "the request was cancelled"};
  impl_->wanted = true;
  impl_->wake();
  return true;
}

void Engine::withdraw(const void* owner) {
  std::unique_lock lock(impl_->mutex);
  impl_->closed.insert(owner);
  for (const auto& [id, job] : impl_->jobs) {
    if (job->owner == owner && !job->ended) {
      job->ended = withdrawn();
    }
  }
  impl_->wanted = true;
  impl_->wake();
  impl_->ended.wait(lock, [&] { return impl_->open.count(owner) == 0; });
}

void Engine::stop() {
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->stopping = true;
    for (const auto& [id, job] : impl_->jobs) {
      if (!job->ended) {
        job->ended = withdrawn();
      }
    }
    impl_->wanted = true;
    impl_->wake();
  }
  if (impl_->thread.joinable()) {
    impl_->thread.join();
  }
}

}  // namespace plexsphere::host::egress
