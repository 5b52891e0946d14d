#include "sim/load.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <condition_variable>
#include <deque>
#include <functional>
#include <iostream>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <stdexcept>
#include <thread>

#include "sim/agent.hpp"

namespace plexsphere::sim {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using nlohmann::json;

namespace {

constexpr auto kRegisterPatience = 60s;
constexpr auto kBeforeComingBack = 100ms;

bool asked_to_come_back(const ApiError& error) {
  return error.status() == 503 || error.status() == 429;
}

// A Domain with room for 65,000 Nodes, in 10.0.0.0/8. Pools may not overlap: where one is taken,
// the next is tried.
std::string make_domain(const Operator& op) {
  const std::string slug = random_slug("load");
  const int first = std::stoi(slug.substr(slug.size() - 2), nullptr, 16);
  for (int attempt = 0;; ++attempt) {
    const std::string second = std::to_string((first + attempt) % 256);
    try {
      return op.create_domain(slug, "10." + second + ".0.0/16");
    } catch (const ApiError& error) {
      if (error.status() != 409 || attempt == 255) {
        throw;
      }
    }
  }
}

// The agents that no worker has.
class IdleAgents {
 public:
  void put(Agent agent) {
    {
      const std::lock_guard lock(mutex_);
      waiting_.push_back(std::move(agent));
    }
    came_.notify_one();
  }
  // Whoever has waited longest; nobody when there was none for a while.
  std::optional<Agent> take() {
    std::unique_lock lock(mutex_);
    if (!came_.wait_for(lock, 100ms, [this] { return !waiting_.empty(); })) {
      return std::nullopt;
    }
    std::optional<Agent> agent(std::move(waiting_.front()));
    waiting_.pop_front();
    return agent;
  }
  // For when the workers are gone.
  const std::deque<Agent>& all() const { return waiting_; }

 private:
  std::mutex mutex_;
  std::condition_variable came_;
  std::deque<Agent> waiting_;  // under mutex_
};

class Load {
 public:
  explicit Load(const LoadOptions& options)
      : options_(options), operator_(options.urls.front(), options.token) {
    for (int i = 0; i < options.domains; ++i) {
      domains_.push_back(make_domain(operator_));
      projects_.push_back(operator_.create_project(domains_.back(), "edge"));
    }
  }

  bool run() {
    std::atomic<int> wanted{options_.nodes};
    with_workers([&] {
      while (wanted-- > 0) {
        enrol();
      }
    });
    const auto start = Clock::now();
    with_workers([&] {
      while (Clock::now() - start < options_.duration) {
        if (auto agent = idle_.take()) {
          take_turn(std::move(*agent));
        }
      }
    });
    const std::chrono::duration<double> took = Clock::now() - start;
    check_lists();
    print(took.count());
    return log_.failed() == 0;
  }

 private:
  void with_workers(const std::function<void()>& work) const {
    std::vector<std::jthread> workers;
    for (int i = 0; i < options_.workers; ++i) {
      workers.emplace_back(work);
    }
  }

  void take_turn(Agent agent) {
    agent.take_turn();
    if (!churn_is_due(turns_++)) {
      idle_.put(std::move(agent));
      return;
    }
    if (agent.leave()) {
      ++left_;
    }
    enrol();
  }

  // Of any number of turns, the part that is to be.
  bool churn_is_due(std::uint64_t turn) const {
    const auto due = [this](std::uint64_t turns) {
      return static_cast<std::uint64_t>(static_cast<double>(turns) * options_.churn);
    };
    return due(turn + 1) > due(turn);
  }

  void enrol() {
    const std::uint64_t number = handles_++;
    const std::size_t domain = number % domains_.size();
    Enrolment wanted{projects_[domain], "host-" + std::to_string(number), {}, make_nonce()};
    const bool prepared = log_.run("create_resource", [&] {
      operator_.create_resource(wanted.project_id, wanted.resource_handle);
    }) && log_.run("issue_token", [&] {
      wanted.bootstrap_token = operator_.issue_token(wanted.project_id);
    });
    std::optional<Node> node;
    if (prepared && log_.run("register", [&] {
          node = enrol_patiently(options_.urls[number % options_.urls.size()], wanted);
        })) {
      ++enrolled_;
      idle_.put({std::move(*node), domain, log_, operator_});
    }
  }

  // As an agent does: who is asked to come back does.
  Node enrol_patiently(const std::string& url, const Enrolment& wanted) {
    const auto limit = Clock::now() + kRegisterPatience;
    for (;;) {
      try {
        return Node::enrol(url, wanted);
      } catch (const ApiError& error) {
        if (!asked_to_come_back(error) || Clock::now() > limit) {
          throw;
        }
        log_.come_back("register");
      }
      std::this_thread::sleep_for(kBeforeComingBack);
    }
  }

  // The server's list of each Domain, and the peers it tells one Node of it.
  void check_lists() {
    for (std::size_t i = 0; i < domains_.size(); ++i) {
      log_.run("list_nodes", [&] { check_list(i); });
    }
  }
  void check_list(std::size_t domain) {
    std::set<std::string> live;
    const Agent* one = nullptr;
    for (const Agent& agent : idle_.all()) {
      if (agent.domain() == domain) {
        live.insert(agent.node().id());
        one = &agent;
      }
    }
    const auto listed = operator_.list_nodes(domains_[domain]);
    listed_ += listed.size();
    if (listed != live) {
      throw std::runtime_error("the server lists " + std::to_string(listed.size()) +
                               " Nodes of Domain " + domains_[domain] + ", other than the " +
                               std::to_string(live.size()) + " that live");
    }
    if (one != nullptr && one->node().state().at("peers").size() + 1 != live.size()) {
      throw std::runtime_error("the peers of " + one->node().id() +
                               " are not the other Nodes of its Domain");
    }
  }

  void print(double seconds) const {
    const bool streams = std::ranges::any_of(idle_.all(), &Agent::streams);
    std::cout << json{{"name", "load"},
                      {"nodes", options_.nodes},
                      {"domains", options_.domains},
                      {"workers", options_.workers},
                      {"seconds", std::round(seconds * 10) / 10},
                      {"turns", turns_.load()},
                      {"enrolled", enrolled_.load()},
                      {"deregistered", left_.load()},
                      {"live", idle_.all().size()},
                      {"listed", listed_},
                      {"failed", log_.failed()},
                      {"events", streams ? "streamed and verified"
                                         : "pulled: signed_event_bus_not_provisioned"},
                      {"operations", log_.summary()}}
                     .dump()
              << std::endl;
  }

  LoadOptions options_;
  Operator operator_;
  OperationLog log_;
  std::vector<std::string> domains_;
  std::vector<std::string> projects_;  // one in each Domain
  IdleAgents idle_;
  std::atomic<std::uint64_t> handles_{0};
  std::atomic<std::uint64_t> turns_{0};
  std::atomic<std::uint64_t> enrolled_{0};
  std::atomic<std::uint64_t> left_{0};
  std::size_t listed_ = 0;
};

}  // namespace

bool load(const LoadOptions& options) {
  return Load(options).run();
}

}  // namespace plexsphere::sim
