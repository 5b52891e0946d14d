#include "good_client.hpp"

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <utility>

#include "host_rig.hpp"
#include "support/wait_until.hpp"

namespace plexsphere::hostile {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kPatience{30};
// Leaves the machine to the hostile: the question is whether a request is served, not how many are.
constexpr std::chrono::milliseconds kPace{5};

}  // namespace

GoodClient::GoodClient(Connect connect, Manner manner, const std::string& path)
    : connect_(std::move(connect)),
      manner_(manner),
      request_(get(path)),
      thread_([this] { run(); }) {}

GoodClient::~GoodClient() {
  (void)stop();
}

void GoodClient::run() {
  try {
    std::optional<test_support::WireClient> client;
    for (bool welcome = true; welcome && !stopping_;) {
      const auto began = Clock::now();
      if (!client) {
        client.emplace(connect_());
      }
      welcome = ask(*client);
      const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - began);
      slowest_ms_ = std::max<std::int64_t>(slowest_ms_, took.count());
      ++served_;
      if (manner_ == Manner::kReturns) {
        client.reset();
      }
      std::this_thread::sleep_for(kPace);
    }
  } catch (const std::exception& error) {
    failure_ = error.what();
    failed_ = true;
  }
}

// False when the answer said that it was the last.
bool GoodClient::ask(test_support::WireClient& client) const {
  if (!client.send(request_)) {
    throw std::runtime_error("a request could not be sent");
  }
  const auto answer = client.answer();
  if (!answer || answer->status != 200) {
    throw std::runtime_error(answer ? std::to_string(answer->status) + " " + answer->body
                                    : "the connection ended instead of an answer");
  }
  return header_of(*answer, "Connection") != "close";
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

GoodClients::GoodClients(const HostRig& rig, const std::string& path,
                         const std::vector<Manner>& manners) {
  for (const bool tls : {false, true}) {
    for (const Manner manner : manners) {
      clients_.emplace_back([&rig, tls] { return rig.connect(tls); }, manner, path);
    }
  }
}

bool GoodClients::are_served(std::size_t more) const {
  return std::all_of(clients_.begin(), clients_.end(),
                     [more](const auto& one) { return one.is_served(more); });
}

std::string GoodClients::stop() {
  std::string out;
  for (auto& one : clients_) {
    out += one.stop();
  }
  return out;
}

std::chrono::milliseconds GoodClients::slowest() const {
  std::chrono::milliseconds out{0};
  for (const auto& one : clients_) {
    out = std::max(out, one.slowest());
  }
  return out;
}

}  // namespace plexsphere::hostile
