// One host process with thousands of idle keep-alive connections and of stream subscribers while
// requests are served: what the crowd costs a request (p99 beside the same host without it) and
// what each of it costs in resident memory, on plain TCP and on TLS. An event is published every
// second, so that the streams are live; every subscriber must get every one. All clients are
// processes of their own.
//
//   bench_capacity [--short]
#include <cstring>
#include <iostream>
#include <memory>
#include <thread>

#include "bench/support/bare_host.hpp"
#include "bench/support/crowd.hpp"
#include "bench/support/http_load.hpp"
#include "bench/support/publisher.hpp"
#include "bench/support/report.hpp"
#include "support/wait_until.hpp"

namespace {

using namespace plexsphere;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kEventBytes = 600;
constexpr int kRounds = 5;
constexpr int kLoadConnections = 64;
constexpr auto kEventEvery = 1s;
constexpr auto kPatience = 60s;
constexpr double kP99Ceiling = 2.0;
constexpr double kPlainBytes = 2 * 1024;
constexpr double kTlsBytes = 20 * 1024;

const std::string kRequest = "GET /v1/good/hello HTTP/1.1\r\nHost: localhost\r\n\r\n";
constexpr const char* kHttp =
    "idle_timeout = \"10m\"\nmax_connections = 19500\nmax_streams = 19500\n"
    "max_connections_per_address = 0\n"
    "unauthenticated_rate = 100000\nunauthenticated_burst = 1000000\n";

struct Plan {
  std::uint32_t idle;
  std::uint32_t subscribers;
  std::chrono::milliseconds round;
};

[[noreturn]] void fail(const std::string& what) {
  throw std::runtime_error(what);
}

void expect_ready(bench::Crowd& crowd, const char* what) {
  if (!crowd.wait_ready(kPatience)) {
    fail("only " + std::to_string(crowd.ready()) + " of " + std::to_string(crowd.count()) + " " +
         what + " got an answer");
  }
}

void expect_whole(const bench::Crowd& crowd, const char* what) {
  if (crowd.closed() != 0 || crowd.faults() != 0) {
    fail(std::to_string(crowd.closed()) + " " + what + " were closed, " +
         std::to_string(crowd.faults()) + " had something wrong");
  }
}

bench::LoadResult checked(const bench::LoadResult& result) {
  if (result.wrong_status + result.broken_connections + result.unanswered != 0 ||
      result.served != kLoadConnections) {
    fail(std::to_string(result.wrong_status) + " answers were not 2xx, " +
         std::to_string(result.broken_connections) + " connections broke, " +
         std::to_string(result.unanswered) + " requests had no answer, " +
         std::to_string(result.served) + " of " + std::to_string(kLoadConnections) +
         " connections were served");
  }
  return result;
}

class Capacity {
 public:
  Capacity(const Plan& plan, bool tls)
      : plan_(plan), host_({.tls = tls, .http = kHttp}), publisher_(host_.endpoint(), "bench") {
    warm_up();
  }

  // Opens the crowd for the first time and tells what each of it costs in memory.
  void measure_memory() {
    const std::uint64_t before = host_.resident_bytes();
    open_idle();
    const std::uint64_t with_idle = host_.resident_bytes();
    open_subscribers();
    publish_and_wait();
    const std::uint64_t with_all = host_.resident_bytes();
    idle_bytes_ = per(with_idle, before, plan_.idle);
    subscriber_bytes_ = per(with_all, with_idle, plan_.subscribers);
    close_crowd();
  }

  void round() {
    without_.push_back(checked(load().result()));
    open_idle();
    open_subscribers();
    quiet_.push_back(checked(load().result()));
    bench::HttpLoad beside_events = load();
    for (auto next = Clock::now() + kEventEvery / 2, end = Clock::now() + plan_.round; next < end;
         next += kEventEvery) {
      std::this_thread::sleep_until(next);
      publish_and_wait();
    }
    live_.push_back(checked(beside_events.result()));
    after_load_bytes_ = host_.resident_bytes();
    expect_whole(*idle_, "idle connections");
    expect_whole(*subscribers_, "subscribers");
    close_crowd();
  }

  double idle_bytes() const { return idle_bytes_; }
  double subscriber_bytes() const { return subscriber_bytes_; }
  double p99_without() const { return p99(without_); }
  double p99_quiet() const { return p99(quiet_); }
  double p99_live() const { return p99(live_); }

  void print() const {
    std::fprintf(stderr,
                 "%u idle connections and %u subscribers: %.0f bytes of memory an idle connection, "
                 "%.0f a subscriber\n",
                 plan_.idle, plan_.subscribers, idle_bytes_, subscriber_bytes_);
    if (live_.empty()) {
      return;
    }
    std::fprintf(stderr, "%d connections of load beside them, medians of %zu rounds:\n",
                 kLoadConnections, live_.size());
    print_row("without them", without_);
    print_row("with them, nothing published", quiet_);
    print_row("with them, 600 bytes to all each second", live_);
    std::fprintf(stderr, "%.1f MiB resident at the end\n",
                 static_cast<double>(after_load_bytes_) / 1048576.0);
  }

 private:
  // Brings every thread's heap to the size that requests and a few connections need.
  void warm_up() {
    if (!host_.endpoint().tls) {
      (void)checked(bench::http_load(host_.endpoint().port, kRequest, kLoadConnections, 1500ms));
    }
    bench::Crowd few(host_.endpoint(), kRequest, 64);
    expect_ready(few, "connections of the warm-up");
    bench::Crowd listeners(host_.endpoint(), bench::subscribe_request("bench"), 64, number_ + 1);
    expect_ready(listeners, "subscribers of the warm-up");
    publisher_.publish(++number_, kEventBytes);
    if (!listeners.wait_event(number_, kPatience)) {
      fail("the warm-up's event did not arrive");
    }
  }

  bench::Endpoint from(std::uint8_t source) const {
    bench::Endpoint endpoint = host_.endpoint();
    endpoint.source = source;
    return endpoint;
  }

  // Idle after one request each.
  void open_idle() {
    idle_ = std::make_unique<bench::Crowd>(from(next_source()), kRequest, plan_.idle);
    expect_ready(*idle_, "idle connections");
  }
  void open_subscribers() {
    subscribers_ = std::make_unique<bench::Crowd>(
        from(next_source()), bench::subscribe_request("bench"), plan_.subscribers, number_ + 1);
    expect_ready(*subscribers_, "subscribers");
  }
  // Waits until the host has taken note, which must not be measured as part of something else.
  void close_crowd() {
    idle_.reset();
    subscribers_.reset();
    if (!test_support::wait_until(kPatience, [this] { return host_.descriptors() < 300; })) {
      fail("the host keeps descriptors of connections that are closed");
    }
  }
  // Ports of closed connections rest for a minute, so every crowd comes from another address.
  std::uint8_t next_source() {
    source_ = source_ == 250 ? 2 : static_cast<std::uint8_t>(source_ + 1);
    return source_;
  }

  void publish_and_wait() {
    publisher_.publish(++number_, kEventBytes);
    if (!subscribers_->wait_event(number_, kPatience)) {
      fail("event " + std::to_string(number_) + " did not reach every subscriber");
    }
  }

  bench::HttpLoad load() const {
    return {host_.endpoint(), kRequest, kLoadConnections, plan_.round};
  }

  static double per(std::uint64_t after, std::uint64_t before, std::uint32_t count) {
    return (static_cast<double>(after) - static_cast<double>(before)) / count;
  }
  using Rounds = std::vector<bench::LoadResult>;
  static double middle(const Rounds& rounds, double bench::LoadResult::*member) {
    std::vector<double> values;
    for (const auto& round : rounds) {
      values.push_back(round.*member);
    }
    return bench::median(values);
  }
  static double p99(const Rounds& rounds) { return middle(rounds, &bench::LoadResult::p99_us); }
  static void print_row(const char* name, const Rounds& rounds) {
    std::fprintf(stderr, "  %-40s %8.0f/s   p50 %7.0f us   p99 %7.0f us\n", name,
                 middle(rounds, &bench::LoadResult::per_second),
                 middle(rounds, &bench::LoadResult::p50_us), p99(rounds));
  }

  Plan plan_;
  bench::BareHost host_;
  bench::Publisher publisher_;
  std::uint32_t number_ = 0;  // of the last event
  std::uint8_t source_ = 1;
  std::unique_ptr<bench::Crowd> idle_;
  std::unique_ptr<bench::Crowd> subscribers_;
  double idle_bytes_ = 0;
  double subscriber_bytes_ = 0;
  std::uint64_t after_load_bytes_ = 0;
  Rounds without_;
  Rounds quiet_;
  Rounds live_;
};

bool plain() {
  Capacity capacity({9'000, 9'000, 4s}, false);
  capacity.measure_memory();
  for (int round = 0; round < kRounds; ++round) {
    capacity.round();
  }
  capacity.print();
  const bool quiet = bench::report_cost(bench::Cost{"capacity_p99_us_quiet", capacity.p99_quiet(),
                                                    capacity.p99_without(), kP99Ceiling});
  const bool live = bench::report_cost(bench::Cost{"capacity_p99_us_live", capacity.p99_live(),
                                                   capacity.p99_without(), kP99Ceiling});
  const bool idle = bench::report_cost(
      bench::Cost{"capacity_bytes_idle_connection", capacity.idle_bytes(), kPlainBytes, 1});
  const bool subscriber = bench::report_cost(
      bench::Cost{"capacity_bytes_subscriber", capacity.subscriber_bytes(), kPlainBytes, 1});
  return quiet && live && idle && subscriber;
}

bool tls() {
  Capacity capacity({9'000, 9'000, 0s}, true);
  capacity.measure_memory();
  std::fprintf(stderr, "over TLS, ");
  capacity.print();
  const bool idle = bench::report_cost(
      bench::Cost{"capacity_tls_bytes_idle_connection", capacity.idle_bytes(), kTlsBytes, 1});
  const bool subscriber = bench::report_cost(
      bench::Cost{"capacity_tls_bytes_subscriber", capacity.subscriber_bytes(), kTlsBytes, 1});
  return idle && subscriber;
}

// Everything once, with few: nothing lost, nobody starved.
void short_form() {
  Capacity plain({200, 200, 1500ms}, false);
  plain.round();
  Capacity tls({50, 50, 0s}, true);
  tls.measure_memory();
}

bool run() {
  const bool on_tcp = plain();
  const bool on_tls = tls();
  return on_tcp && on_tls;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc > 1 && std::strcmp(argv[1], "--short") == 0) {
      short_form();
      return 0;
    }
    bench::need_descriptors(19'500);
    return run() ? 0 : 1;
  } catch (const std::exception& e) {
    std::cerr << "capacity: " << e.what() << std::endl;
    return 1;
  }
}
