// enrol ROUNDS [core|postgres|client]: in each round, at every failpoint of a registration, each
// victim (or the one named) is killed with registrations in flight: the core, PostgreSQL (with
// fsync), or a client's connection. Then all is started again, every agent tries again, and the
// invariants are read from the database.
//
// Prints one JSON line; fails at the first broken invariant, naming point, victim and rule.
#include <array>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <future>
#include <iostream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "soak/enrol/agent.hpp"
#include "soak/enrol/site.hpp"
#include "support/failpoints.hpp"

namespace plexsphere::soak {
namespace {

using namespace std::chrono_literals;

constexpr std::array kPoints{"registration.proven",    "registration.consumed",
                             "registration.addressed", "registration.node_and_nsk",
                             "registration.staged",    "commit.before.identity",
                             "commit.after.identity",  "answer.before",
                             "answer.after",           "replay.nsk"};
enum class Victim { kCore, kPostgres, kClient };
constexpr std::array kVictims{"core", "postgres", "client"};
constexpr std::string_view kReplayPoint = "replay.nsk";
constexpr int kAgents = 3;  // in flight when the core or a client is killed
constexpr auto kHitLimit = 30s;

class Run {
 public:
  void strike(Victim victim) {
    if (victim == Victim::kPostgres) {
      try {
        crash_at_all();
      } catch (const std::exception& error) {
        throw std::runtime_error(std::string("postgres: ") + error.what());
      }
      return;
    }
    for (const char* point : kPoints) {
      try {
        kill_at(point, victim);
      } catch (const std::exception& error) {
        throw std::runtime_error(std::string(point) + ", " +
                                 kVictims[static_cast<std::size_t>(victim)] + ": " + error.what());
      }
    }
  }

  void end_round() {
    if (const auto blind = site_.blind_invariants(); !blind.empty()) {
      throw std::runtime_error("no rule notices: " + blind);
    }
    if (!site_.audit_chains_intact()) {
      throw std::runtime_error("the audit chain is broken");
    }
  }

  void report(const std::string& name, int rounds) const {
    std::printf(R"({"name":"%s","rounds":%d,"kills":%d,"nodes":%d,"broken":0})"
                "\n",
                name.c_str(), rounds, kills_, nodes_);
  }

 private:
  // The core, or one client's connection.
  void kill_at(const std::string& point, Victim victim) {
    const auto wanted = site_.prepare(kAgents, EnrolSite::Spread::kOneDomain);
    auto agents = agents_for(wanted);
    std::vector<std::future<void>> enrolled;
    if (victim == Victim::kClient) {
      if (point == kReplayPoint) {
        agents[0].enrol();  // so that its next attempt is a replay
      }
      failpoints_.arm_pause(point);
      hang_up_at(point, wanted[0]);
      enrolled = enrol_all(agents);
    } else {
      failpoints_.arm_kill(point);
      enrolled = enrol_all(agents);
      expect_hit(point);
      site_.replace_core();
      failpoints_.release(point);
    }
    finish(agents, enrolled);
    ++kills_;
  }

  // One registration stands still at each point when PostgreSQL goes, each in a Domain of its own:
  // in one Domain the first that has its address makes the others wait.
  void crash_at_all() {
    auto agents = agents_for(
        site_.prepare(static_cast<int>(kPoints.size()), EnrolSite::Spread::kEachItsDomain));
    std::vector<std::future<void>> enrolled;
    for (std::size_t i = 0; i < kPoints.size(); ++i) {
      if (kPoints[i] == kReplayPoint) {
        agents[i].enrol();
      }
      failpoints_.arm_pause(kPoints[i]);
      enrolled.push_back(enrol_twice(agents[i]));
      expect_hit(kPoints[i]);
    }
    site_.crash_postgres();
    for (const char* point : kPoints) {
      failpoints_.release(point);
    }
    finish(agents, enrolled);
    kills_ += static_cast<int>(kPoints.size());
  }

  std::vector<Agent> agents_for(const std::vector<Wanted>& wanted) const {
    std::vector<Agent> agents;
    for (const Wanted& each : wanted) {
      agents.emplace_back(site_, each);
    }
    return agents;
  }

  // Enrols and, as if the answer had been lost on the way, does so once more.
  static std::future<void> enrol_twice(Agent& agent) {
    return std::async(std::launch::async, [&agent] {
      agent.enrol();
      agent.enrol();
    });
  }
  static std::vector<std::future<void>> enrol_all(std::vector<Agent>& agents) {
    std::vector<std::future<void>> all;
    for (Agent& agent : agents) {
      all.push_back(enrol_twice(agent));
    }
    return all;
  }

  // Leaves when the registration has come to the point, and returns when the core is through with
  // it: of two attempts under way, whichever is the last has the key.
  void hang_up_at(const std::string& point, const Wanted& wanted) {
    const std::string end = "answer.after";
    send_until_hit(point, wanted.body);
    if (point != end) {
      failpoints_.arm_pause(end);
      failpoints_.release(point);
      expect_hit(end);
    }
    failpoints_.release(end);
  }

  // As an agent does, again while it is refused for the moment; hangs up on return.
  void send_until_hit(const std::string& point, const std::string& body) const {
    constexpr auto kPatience = 5s;
    for (auto waited = 0s; waited < kHitLimit; waited += kPatience) {
      const HalfClient client(site_.url(), body);
      if (failpoints_.hit(point, kPatience)) {
        return;
      }
    }
    expect_hit(point);
  }

  void expect_hit(const std::string& point) const {
    if (!failpoints_.hit(point, kHitLimit)) {
      throw std::runtime_error("nobody reaches the point; is this a build with failpoints?");
    }
  }

  void finish(const std::vector<Agent>& agents, std::vector<std::future<void>>& enrolled) {
    for (auto& each : enrolled) {
      each.get();
    }
    site_.wait_until_ready();
    nodes_ += static_cast<int>(agents.size());
    if (const auto broken = site_.broken_invariants(nodes_); !broken.empty()) {
      throw std::runtime_error(broken);
    }
    for (const Agent& agent : agents) {
      if (const auto fault = agent.fault(); !fault.empty()) {
        throw std::runtime_error(fault);
      }
    }
  }

  test_support::Failpoints failpoints_;  // before the site, whose processes inherit it
  EnrolSite site_;
  int kills_ = 0;
  int nodes_ = 0;
};

std::string name_of(const std::vector<Victim>& victims) {
  return victims.size() > 1
             ? "enrol_killed"
             : std::string("enrol_killed_") + kVictims[static_cast<std::size_t>(victims.front())];
}

void run(int rounds, const std::vector<Victim>& victims) {
  Run kills;
  for (int round = 0; round < rounds; ++round) {
    for (const Victim victim : victims) {
      kills.strike(victim);
    }
    kills.end_round();
    std::cerr << "enrol: round " << round + 1 << " of " << rounds << std::endl;
  }
  kills.report(name_of(victims), rounds);
}

// All of them without a name, none for a name that is none.
std::vector<Victim> victims_named(const std::string& name) {
  std::vector<Victim> found;
  for (std::size_t i = 0; i < kVictims.size(); ++i) {
    if (name.empty() || name == kVictims[i]) {
      found.push_back(static_cast<Victim>(i));
    }
  }
  return found;
}

int run_command(int argc, char** argv) {
  const int rounds = argc >= 2 ? std::atoi(argv[1]) : 0;
  const auto victims = victims_named(argc == 3 ? argv[2] : "");
  if (rounds < 1 || argc > 3 || victims.empty()) {
    std::cerr << "usage: enrol ROUNDS [core|postgres|client]\n";
    return 2;
  }
  run(rounds, victims);
  return 0;
}

}  // namespace
}  // namespace plexsphere::soak

int main(int argc, char** argv) {
  try {
    return plexsphere::soak::run_command(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "enrol: " << error.what() << std::endl;
    return 1;
  }
}
