// Time from publishing an event to the last subscriber having it, through the whole host, beside a
// bare loop that sends the same bytes to as many sockets. The same receiver, alternating rounds,
// medians. Every subscriber must get every event, in order.
//
//   bench_stream [--short]
#include <cstring>
#include <functional>
#include <iostream>

#include "bench/support/bare_host.hpp"
#include "bench/support/crowd.hpp"
#include "bench/support/publisher.hpp"
#include "bench/support/raw_fanout.hpp"
#include "bench/support/report.hpp"

namespace {

using namespace plexsphere;
using namespace std::chrono_literals;
using Milliseconds = std::chrono::duration<double, std::milli>;

constexpr std::size_t kEventBytes = 600;
constexpr int kRounds = 5;
constexpr int kEventsOfRound = 8;
constexpr int kBurst = 16;
constexpr double kFloor = 0.5;
constexpr auto kPatience = 30s;

constexpr const char* kHttp =
    "max_connections = 19000\nmax_streams = 19000\nmax_connections_per_address = 0\n"
    "unauthenticated_rate = 100000\nunauthenticated_burst = 1000000\n";

[[noreturn]] void fail(const std::string& what) {
  throw std::runtime_error(what);
}

void expect_ready(bench::Crowd& crowd) {
  if (!crowd.wait_ready(kPatience)) {
    fail("only " + std::to_string(crowd.ready()) + " of " + std::to_string(crowd.count()) +
         " subscribers got an answer");
  }
}

void expect_no_loss(const bench::Crowd& crowd) {
  if (crowd.faults() != 0 || crowd.closed() != 0) {
    fail(std::to_string(crowd.faults()) + " events out of order and " +
         std::to_string(crowd.closed()) + " connections closed");
  }
}

// Publishes events to a crowd and takes the time until the last of it has them.
class Sender {
 public:
  using Publish = std::function<bench::Crowd::Clock::time_point(std::uint32_t number)>;
  Sender(bench::Crowd& crowd, Publish publish) : crowd_(crowd), publish_(std::move(publish)) {}

  Milliseconds one() {
    const auto begun = publish_(++number_);
    return awaited() - begun;
  }
  // The events after the first do not wait for the one before.
  Milliseconds burst(int events) {
    const auto begun = publish_(++number_);
    for (int i = 1; i < events; ++i) {
      publish_(++number_);
    }
    return awaited() - begun;
  }
  void round() {
    for (int i = 0; i < kEventsOfRound; ++i) {
      times_.push_back(one().count());
    }
  }
  double median_ms() const { return bench::median(times_); }

 private:
  bench::Crowd::Clock::time_point awaited() {
    const auto complete = crowd_.wait_event(number_, kPatience);
    if (!complete) {
      fail("event " + std::to_string(number_) + " did not reach every subscriber");
    }
    return *complete;
  }

  bench::Crowd& crowd_;
  Publish publish_;
  std::uint32_t number_ = 0;
  std::vector<double> times_;
};

struct Outcome {
  double ours_ms;
  double raw_ms;
};

Outcome measure(std::uint32_t subscribers, int rounds) {
  bench::BareHost host({.http = kHttp});
  bench::Crowd ours(host.endpoint(), bench::subscribe_request("bench"), subscribers);
  expect_ready(ours);
  bench::Publisher publisher(host.endpoint(), "bench");
  Sender through_host(ours,
                      [&](std::uint32_t number) { return publisher.publish(number, kEventBytes); });

  const std::uint64_t before = ours.bytes();
  through_host.one();
  const std::size_t wire_bytes = (ours.bytes() - before) / subscribers;
  bench::RawFanout fanout(subscribers, wire_bytes);
  bench::Crowd raw({.port = fanout.port()}, bench::subscribe_request("raw"), subscribers);
  expect_ready(raw);
  Sender through_loop(raw, [&](std::uint32_t number) {
    const auto now = bench::Crowd::Clock::now();
    fanout.publish(number);
    return now;
  });
  through_loop.one();

  for (int round = 0; round < rounds; ++round) {
    through_host.round();
    through_loop.round();
  }
  const Milliseconds burst = through_host.burst(kBurst);
  expect_no_loss(ours);
  expect_no_loss(raw);
  std::fprintf(
      stderr,
      "%5u subscribers, %zu bytes an event: host %.2f ms, raw loop %.2f ms (medians of %d); "
      "%d events at once %.1f ms; nothing lost\n",
      subscribers, wire_bytes, through_host.median_ms(), through_loop.median_ms(),
      rounds * kEventsOfRound, kBurst, burst.count());
  return {through_host.median_ms(), through_loop.median_ms()};
}

bool run() {
  bool held = true;
  for (const std::uint32_t subscribers : {1'000U, 5'000U, 9'000U}) {
    const Outcome outcome = measure(subscribers, kRounds);
    const auto rate = [&](double ms) { return subscribers / ms * 1000; };
    held = bench::report(bench::Figure{"stream_" + std::to_string(subscribers),
                                       rate(outcome.ours_ms), rate(outcome.raw_ms), kFloor}) &&
           held;
  }
  return held;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc > 1 && std::strcmp(argv[1], "--short") == 0) {
      (void)measure(200, 1);
      return 0;
    }
    bench::need_descriptors(10'000);
    return run() ? 0 : 1;
  } catch (const std::exception& e) {
    std::cerr << "stream: " << e.what() << std::endl;
    return 1;
  }
}
