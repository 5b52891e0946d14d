#include "good_client.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "support/wait_until.hpp"

namespace plexsphere::hostile {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kPatience{30};
constexpr const char* kRequest = "GET /v1/good/later HTTP/1.1\r\nHost: a\r\n\r\n";

}  // namespace

GoodClient::GoodClient(Connect connect, Manner manner)
    : connect_(std::move(connect)), manner_(manner), thread_([this] { run(); }) {}

GoodClient::~GoodClient() {
  (void)stop();
}

void GoodClient::run() {
  try {
    auto client = connect_();
    while (!stopping_) {
      ask(client);
      if (manner_ == Manner::kReturns && !stopping_) {
        client = connect_();
      }
    }
  } catch (const std::exception& error) {
    failure_ = error.what();
    failed_ = true;
  }
}

void GoodClient::ask(test_support::WireClient& client) {
  const auto began = Clock::now();
  if (!client.send(kRequest)) {
    throw std::runtime_error("a request could not be sent");
  }
  const auto answer = client.answer();
  if (!answer || answer->status != 200) {
    throw std::runtime_error(answer ? std::to_string(answer->status) + " " + answer->body
                                    : "the connection ended instead of an answer");
  }
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - began);
  slowest_ms_ = std::max<std::int64_t>(slowest_ms_, took.count());
  ++served_;
}

bool GoodClient::is_served(std::size_t more) const {
  const std::size_t wanted = served_ + more;
  return test_support::wait_until(kPatience, [&] { return failed_ || served_ >= wanted; }) &&
         !failed_;
}

std::string GoodClient::stop() {
  stopping_ = true;
  if (thread_.joinable()) {
    thread_.join();
  }
  return failure_;
}

}  // namespace plexsphere::hostile
