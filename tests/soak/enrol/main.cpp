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
#include <optional>
#include <stdexcept>
#include <string>
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
constexpr int kAgents = 3;  // in flight at each kill
constexpr auto kHitLimit = 30s;

class Run {
 public:
  void strike(const std::string& point, Victim victim) {
    try {
      kill_at(point, victim);
    } catch (const std::exception& error) {
      throw std::runtime_error(point + ", " + kVictims[static_cast<std::size_t>(victim)] + ": " +
                               error.what());
    }
    ++kills_;
  }

  void end_round() {
    if (const auto blind = site_.blind_invariants(); !blind.empty()) {
      throw std::runtime_error("no rule notices: " + blind);
    }
    if (!site_.audit_chain_intact()) {
      throw std::runtime_error("the audit chain is broken");
    }
  }

  void report(int rounds) const {
    std::printf(R"({"name":"enrol","rounds":%d,"kills":%d,"nodes":%d,"broken":0})"
                "\n",
                rounds, kills_, nodes_);
  }

 private:
  void kill_at(const std::string& point, Victim victim) {
    std::vector<Agent> agents;
    const auto wanted = site_.prepare(kAgents);
    for (const Wanted& each : wanted) {
      agents.emplace_back(site_, each);
    }
    const bool cut = victim == Victim::kClient;
    if (cut && point == "replay.nsk") {
      agents[0].enrol();  // so that its next attempt is a replay
    }
    if (victim == Victim::kCore) {
      failpoints_.arm_kill(point);
    } else {
      failpoints_.arm_pause(point);
    }
    std::optional<HalfClient> half;
    if (cut) {  // alone, so that it is the one who is paused
      half.emplace(site_.url(), wanted[0].body);
      expect_hit(point);
    }
    auto enrolled = enrol_all(agents);
    if (!cut) {
      expect_hit(point);
    }
    bring_down(victim);
    half.reset();
    failpoints_.release(point);
    for (auto& each : enrolled) {
      each.get();
    }
    site_.wait_until_ready();
    nodes_ += kAgents;
    check(agents);
  }

  // Each enrols and, as if the answer had been lost on the way, does so once more.
  static std::vector<std::future<void>> enrol_all(std::vector<Agent>& agents) {
    std::vector<std::future<void>> all;
    for (Agent& agent : agents) {
      all.push_back(std::async(std::launch::async, [&agent] {
        agent.enrol();
        agent.enrol();
      }));
    }
    return all;
  }

  void expect_hit(const std::string& point) const {
    if (!failpoints_.hit(point, kHitLimit)) {
      throw std::runtime_error("nobody reaches the point; is this a build with failpoints?");
    }
  }

  void bring_down(Victim victim) {
    if (victim == Victim::kCore) {
      site_.replace_core();
    } else if (victim == Victim::kPostgres) {
      site_.crash_postgres();
    }
  }

  void check(const std::vector<Agent>& agents) {
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

void run(int rounds, const std::vector<Victim>& victims) {
  Run kills;
  for (int round = 0; round < rounds; ++round) {
    for (const char* point : kPoints) {
      for (const Victim victim : victims) {
        kills.strike(point, victim);
      }
    }
    kills.end_round();
    std::cerr << "enrol: round " << round + 1 << " of " << rounds << std::endl;
  }
  kills.report(rounds);
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
