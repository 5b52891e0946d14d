#include "bench/support/http_load.hpp"

#include <sys/epoll.h>
#include <unistd.h>

#include <array>
#include <string_view>
#include <vector>

#include "bench/support/histogram.hpp"
#include "bench/support/http_answer.hpp"

namespace plexsphere::bench {

namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr auto kWarmUp = 300ms;
constexpr auto kGrace = 300ms;  // for the last answers

struct Connection {
  ClientSocket socket;
  std::string pending;  // an answer that has begun
  Clock::time_point sent;
  bool waiting = false;
  bool served = false;
};

class Load {
 public:
  Load(const Endpoint& server, const std::string& request, int connections)
      : server_(server), request_(request), epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
    connections_.reserve(static_cast<std::size_t>(connections));
    for (std::uint64_t i = 0; i < static_cast<std::uint64_t>(connections); ++i) {
      connections_.push_back({ClientSocket(server), {}, {}, false, false});
      watch(i);
    }
  }
  ~Load() { ::close(epoll_); }
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

  LoadResult run(std::chrono::milliseconds duration) {
    for (Connection& connection : connections_) {
      send(connection, Clock::now());
    }
    turn_until(Clock::now() + kWarmUp);
    forget_warm_up();
    const auto start = Clock::now();
    turn_until(start + duration);
    const std::chrono::duration<double> took = Clock::now() - start;
    result_.per_second = static_cast<double>(result_.answers) / took.count();
    result_.p50_us = latencies_.quantile_us(0.50);
    result_.p99_us = latencies_.quantile_us(0.99);
    ending_ = true;
    turn_until(Clock::now() + kGrace);
    for (const Connection& connection : connections_) {
      result_.served += connection.served ? 1U : 0U;
    }
    result_.unanswered = waiting_;
    return result_;
  }

 private:
  void watch(std::uint64_t i) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = i;
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, connections_[i].socket.fd(), &event);
  }

  void turn_until(Clock::time_point end) {
    std::array<epoll_event, 256> events;
    while (Clock::now() < end && waiting_ != 0) {
      const int ready = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), 10);
      for (int i = 0; i < ready; ++i) {
        receive(events[static_cast<std::size_t>(i)].data.u64);
      }
    }
  }

  void forget_warm_up() {
    result_ = {};
    latencies_ = {};
    for (Connection& connection : connections_) {
      connection.served = false;
    }
  }

  void send(Connection& connection, Clock::time_point now) {
    connection.sent = now;
    connection.waiting = true;
    ++waiting_;
    (void)connection.socket.send(request_);
  }

  void receive(std::uint64_t i) {
    Connection& connection = connections_[i];
    std::array<char, 16384> chunk;
    const int got = connection.socket.receive(chunk);
    if (got < 0) {
      return;
    }
    if (got == 0) {
      reopen(i);
      return;
    }
    std::string_view bytes(chunk.data(), static_cast<std::size_t>(got));
    if (!connection.pending.empty()) {
      bytes = connection.pending.append(bytes);
    }
    if (const std::size_t size = answer_size(bytes)) {
      answered(connection, bytes, size);
    } else if (connection.pending.empty()) {
      connection.pending = bytes;
    }
  }

  void answered(Connection& connection, std::string_view answer, std::size_t size) {
    const auto now = Clock::now();
    connection.waiting = false;
    --waiting_;
    connection.served = true;
    result_.wrong_status += answer.starts_with("HTTP/1.1 2") ? 0U : 1U;
    connection.pending.clear();
    if (!ending_) {
      ++result_.answers;
      result_.answer_bytes = size;
      latencies_.add(now - connection.sent);
      send(connection, now);
    }
  }

  void reopen(std::uint64_t i) {
    Connection& connection = connections_[i];
    ++result_.broken_connections;
    waiting_ -= connection.waiting ? 1U : 0U;
    connection = {ClientSocket(server_), {}, {}, false, connection.served};
    if (!ending_) {
      watch(i);
      send(connection, Clock::now());
    }
  }

  Endpoint server_;
  const std::string& request_;
  int epoll_;
  std::vector<Connection> connections_;
  std::uint64_t waiting_ = 0;  // connections that wait for an answer
  bool ending_ = false;
  Histogram latencies_;
  LoadResult result_;
};

}  // namespace

HttpLoad::HttpLoad(const Endpoint& server, const std::string& request, int connections,
                   std::chrono::milliseconds duration)
    : duration_(duration), child_([this, server, request, connections, duration] {
        *result_ = Load(server, request, connections).run(duration);
      }) {}

LoadResult HttpLoad::result() {
  child_.finish(duration_ + std::chrono::seconds(30));
  return *result_;
}

LoadResult http_load(std::uint16_t port, const std::string& request, int connections,
                     std::chrono::milliseconds duration) {
  return HttpLoad({.port = port}, request, connections, duration).result();
}

}  // namespace plexsphere::bench
