// The engine in front of a sink that echoes, holds or blocks as a test says.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <condition_variable>
#include <future>
#include <mutex>
#include <thread>

#include "host/http/engine/epoll_engine.hpp"
#include "support/http_client.hpp"
#include "support/wait_until.hpp"

namespace plexsphere::host::http {

using namespace std::chrono_literals;  // NOLINT: test
using Clock = std::chrono::steady_clock;

inline constexpr std::size_t kLarge = 32 * 1024 * 1024;  // more than the kernel buffers
inline constexpr std::size_t kUpload = 1024 * 1024;      // the most that "/upload" takes

// Echoes; "/held" and "/upload" are answered when the test says so, from the test's thread.
class Sink final : public RequestSink {
 public:
  Plan plan(std::string_view, std::string_view target) noexcept override {
    return {target == "/upload" ? kUpload : 10, target == "/fast" ? Lane::kFast : Lane::kBlocking};
  }
  Response refused(const Refusal& refusal, std::string_view) noexcept override {
    Response out{refusal.status, "text/plain", std::string(refusal.code), {}};
    if (refusal.retry_after.count() > 0) {
      out.set_header("Retry-After", std::to_string(refusal.retry_after.count()));
    }
    return out;
  }
  void handle(Request request, std::shared_ptr<Reply> reply) noexcept override {
    if (request.head.target == "/held" || request.head.target == "/upload") {
      const std::lock_guard lock(mutex_);
      held_.push_back(std::move(reply));
      return;
    }
    if (request.head.target == "/block") {
      std::unique_lock lock(mutex_);
      ++blocked_;
      wake_.wait_for(lock, 20s, [this] { return unblocked_; });
    } else if (request.head.target == "/age") {
      const auto age = Clock::now() - request.arrived;
      const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(age).count();
      reply->send({200, "text/plain", std::to_string(ms), {}});
      return;
    } else if (request.head.target == "/dropped") {
      return;
    } else if (request.head.target == "/large") {
      reply->send({200, "text/plain", std::string(kLarge, 'x'), {}});
      return;
    }
    reply->send({request.body_overflow ? 413 : 200,
                 "text/plain",
                 request.head.method + " " + request.body,
                 {}});
  }
  std::size_t blocked() {
    const std::lock_guard lock(mutex_);
    return blocked_;
  }
  void unblock() {
    const std::lock_guard lock(mutex_);
    unblocked_ = true;
    wake_.notify_all();
  }
  std::size_t held() {
    const std::lock_guard lock(mutex_);
    return held_.size();
  }
  void release() {
    const std::lock_guard lock(mutex_);
    for (const auto& reply : held_) {
      reply->send({200, "text/plain", "released", {}});
    }
    held_.clear();
  }

 private:
  std::mutex mutex_;
  std::condition_variable wake_;
  std::size_t blocked_ = 0;
  bool unblocked_ = false;
  std::vector<std::shared_ptr<Reply>> held_;
};

struct Fixture {
  Sink sink;
  std::unique_ptr<Engine> engine;

  explicit Fixture(EngineOptions options = {.workers = 8})
      : engine(make_epoll_engine(sink, options)) {
    REQUIRE(engine->listen("127.0.0.1:0").ok());
  }
  std::string url() const { return "http://" + engine->addresses().front(); }
  std::future<int> get_later(const std::string& path) const {
    return std::async(std::launch::async, [to = url() + path] {
      return test_support::HttpClient(20s).request("GET", to).status;
    });
  }
  int connect() const {
    const auto address = engine->addresses().front();
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    to.sin_port =
        htons(static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1))));
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const timeval limit{10, 0};
    ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    REQUIRE(::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof(to)) == 0);
    return fd;
  }
};

}  // namespace plexsphere::host::http
