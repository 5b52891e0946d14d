#include "host/http/engine/epoll_engine.hpp"

#include <mutex>
#include <random>
#include <thread>

#include "host/http/engine/event_loop.hpp"

namespace plexsphere::host::http {
namespace {

using Clock = std::chrono::steady_clock;
using engine::WorkerLane;
using Limit = engine::ConnectionLimits::Limit;

constexpr std::chrono::milliseconds kLookForIdle{2};

class EpollEngine final : public Engine, private engine::CallHost {
 public:
  EpollEngine(RequestSink& sink, const EngineOptions& options)
      : sink_(sink),
        options_(options),
        fast_(options.fast_workers, options.max_waiting, options.max_wait),
        blocking_(options.workers, options.max_waiting, options.max_wait),
        loop_(*this, options) {}

  ~EpollEngine() override {
    stop_accepting();
    force_close();
    // The loop first, so that it submits to no lane that has ended. Workers that are on their way
    // back may still answer; only when they are gone may the loop's memory go.
    loop_.end();
    fast_.end();
    blocking_.end();
    tally_->leave();
  }

  Status listen(const std::string& address) override {
    return serve(engine::Listener::open(address));
  }
  Status adopt(int descriptor, bool tls) override {
    return serve(engine::Listener::adopt(descriptor, tls));
  }

  std::vector<std::string> addresses() const override {
    const std::lock_guard lock(mutex_);
    return addresses_;
  }

  void discourage() noexcept override { discouraged_ = true; }
  void stop_accepting() noexcept override {
    discouraged_ = true;
    loop_.stop_accepting();
  }
  void force_close() noexcept override { loop_.force_close(); }

  bool wait_idle(Clock::time_point deadline) override {
    while (!idle()) {
      if (Clock::now() >= deadline) {
        return false;
      }
      std::this_thread::sleep_for(kLookForIdle);
    }
    return true;
  }

  EngineFigures figures() const noexcept override {
    EngineFigures out;
    out.connections = loop_.connections();
    out.in_flight = tally_->open;
    out.idle_connections = loop_.idle();
    out.waiting_fast = fast_.waiting();
    out.waiting_blocking = blocking_.waiting();
    out.accepted = loop_.accepted();
    out.refused_in_total = loop_.refused(Limit::kTotal);
    out.refused_by_address = loop_.refused(Limit::kAddress);
    out.closed_idle = loop_.idled_out();
    out.closed_untaken = loop_.untaken();
    out.buffered_bytes = loop_.buffered_bytes();
    if (const auto* handshakes = loop_.handshakes()) {
      out.tls_handshakes = handshakes->succeeded();
      out.tls_failures = handshakes->failed();
    }
    return out;
  }

 private:
  // A request passes from loop to call and back, so looking at one after the other can miss it.
  // When no call is left, all they ordered is with the loop; if it then has nothing under way, and
  // made no call since, there is nothing.
  bool idle() {
    const std::size_t made = tally_->made;
    if (tally_->open > 0 || !fast_.idle() || !blocking_.idle()) {
      return false;
    }
    return loop_.settled([this, made] { return tally_->made == made; });
  }

  Status serve(Result<engine::Listener> listener) {
    if (!listener) {
      return listener.status();
    }
    if (listener->tls() && !options_.certificates) {
      return {Code::kFailedPrecondition,
              "cannot listen on '" + listener->address() + "': there is no certificate for TLS"};
    }
    {
      const std::lock_guard lock(mutex_);
      addresses_.push_back(listener->address());
    }
    loop_.serve(std::move(*listener));
    return {};
  }

  RequestSink& sink() noexcept override { return sink_; }
  WorkerLane& lane(Lane lane) noexcept override { return lane == Lane::kFast ? fast_ : blocking_; }
  bool closing() const noexcept override { return discouraged_; }
  std::chrono::seconds retry_after() noexcept override {
    thread_local std::minstd_rand random{std::random_device{}()};
    return std::chrono::seconds(std::uniform_int_distribution<int>(1, 5)(random));
  }
  std::shared_ptr<engine::CallTally> tally() noexcept override { return tally_; }
  void answered(const std::shared_ptr<engine::Connection>& connection, std::string bytes,
                bool keep) noexcept override {
    loop_.answered(connection, std::move(bytes), keep);
  }
  void give_away(std::shared_ptr<engine::Connection> connection, std::string head, bool chunked,
                 Reply::Taker taker) noexcept override {
    loop_.give_away(std::move(connection), std::move(head), chunked, std::move(taker));
  }

  RequestSink& sink_;
  const EngineOptions options_;
  std::atomic<bool> discouraged_{false};
  const std::shared_ptr<engine::CallTally> tally_ = std::make_shared<engine::CallTally>();
  mutable std::mutex mutex_;
  std::vector<std::string> addresses_;
  WorkerLane fast_;
  WorkerLane blocking_;
  engine::EventLoop loop_;
};

}  // namespace

std::unique_ptr<Engine> make_epoll_engine(RequestSink& sink, const EngineOptions& options) {
  return std::make_unique<EpollEngine>(sink, options);
}

}  // namespace plexsphere::host::http
