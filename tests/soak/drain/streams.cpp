#include "soak/drain/streams.hpp"

#include <chrono>
#include <exception>
#include <stdexcept>

namespace plexsphere::soak {
namespace {

using test_support::WireClient;

constexpr const char* kSubscribe =
    "GET /v1/good/stream?channel=a HTTP/1.1\r\nHost: localhost\r\n\r\n";
constexpr std::chrono::milliseconds kPause{20};  // while no replica is up, or after a failure

// How a stream ends behind its last frame.
constexpr const char* kWhole = "\r\n0\r\n\r\n";

class Counted {
 public:
  explicit Counted(std::atomic<std::uint64_t>& count) : count_(count) { ++count_; }
  ~Counted() { --count_; }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;

 private:
  std::atomic<std::uint64_t>& count_;
};

}  // namespace

Streams::Streams(Balancer& balancer, int subscribers) : balancer_(balancer) {
  for (int i = 0; i < subscribers; ++i) {
    const bool tls = i % 2 == 1;
    subscribers_.emplace_back([this, tls](const std::stop_token& stop) { run(stop, tls); });
  }
}

std::vector<std::string> Streams::failures() const {
  const std::lock_guard lock(mutex_);
  return failures_;
}

void Streams::run(const std::stop_token& stop, bool tls) {
  while (!stop.stop_requested()) {
    const Ports ports = balancer_.pick();
    if (ports.plain != 0) {
      try {
        stay(stop, ports, tls);
        continue;
      } catch (const std::exception& error) {
        const std::lock_guard lock(mutex_);
        failures_.emplace_back(error.what());
      }
    }
    std::this_thread::sleep_for(kPause);
  }
}

void Streams::stay(const std::stop_token& stop, Ports ports, bool tls) {
  auto client = tls ? WireClient(ports.tls, balancer_.context()) : WireClient(ports.plain);
  if (!client.send(kSubscribe)) {
    throw std::runtime_error("a subscriber could not ask");
  }
  const auto head = client.head();
  if (!head || head->status != 200) {
    throw std::runtime_error("a subscriber was not subscribed");
  }
  const Counted counted(open_);
  while (!stop.stop_requested()) {
    // Keep-alive comments come every second.
    if (client.take_past("\n\n").find("retry: ") == std::string::npos) {
      continue;
    }
    if (client.rest() != kWhole) {
      throw std::runtime_error("a stream broke off behind its hint when to come back");
    }
    ++dismissed_;
    return;
  }
}

}  // namespace plexsphere::soak
