// audit ROUNDS [core|postgres [append|checkpoint|archive|restore]…]: in each round, at every
// failpoint of the audit log's append, checkpoint, archive and restore (or of those named), each
// victim (or the one named) is killed under load: one of two replicas of the core, or PostgreSQL
// (with fsync). Then all is started again, and the chains, the changes, the mirror and the
// checkpoints are held against each other and against what clients were told.
//
// Prints one JSON line; fails at the first difference, naming point, victim and what is wrong.
#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <memory>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "soak/audit/chains.hpp"
#include "soak/audit/evidence.hpp"
#include "soak/audit/load.hpp"
#include "soak/audit/site.hpp"
#include "soak/audit/stopped_append.hpp"
#include "support/failpoints.hpp"

namespace plexsphere::soak {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kAppend = "append";
constexpr std::string_view kCheckpoint = "checkpoint";
constexpr std::string_view kArchive = "archive";
constexpr std::string_view kRestore = "restore";
constexpr std::array kParts{kAppend, kCheckpoint, kArchive, kRestore};

// Between an append's lock and its rows; not a failpoint, see StoppedAppend.
constexpr std::string_view kLocked = "append.locked";

struct Point {
  std::string_view part;
  std::string_view name;
};
// As an append (of decisions, then of a change), a checkpoint, a batch of the archiver and a
// restore come by them.
constexpr std::array kPoints{Point{kAppend, "append.batch"},
                             Point{kAppend, "append.begun"},
                             Point{kAppend, kLocked},
                             Point{kAppend, "append.inserted"},
                             Point{kAppend, "append.committed"},
                             Point{kAppend, "append.answering"},
                             Point{kAppend, "append.change_begun"},
                             Point{kAppend, "append.change_inserted"},
                             Point{kAppend, "commit.before.tenancy"},
                             Point{kAppend, "commit.after.tenancy"},
                             Point{kCheckpoint, "checkpoint.nodes"},
                             Point{kCheckpoint, "checkpoint.grown"},
                             Point{kCheckpoint, "checkpoint.signed"},
                             Point{kCheckpoint, "checkpoint.added"},
                             Point{kCheckpoint, "checkpoint.kept"},
                             Point{kArchive, "archive.picked"},
                             Point{kArchive, "archive.uploaded"},
                             Point{kArchive, "archive.stamping"},
                             Point{kArchive, "archive.stamped"},
                             Point{kRestore, "restore.picked"},
                             Point{kRestore, "restore.fetched"},
                             Point{kRestore, "restore.inserted"},
                             Point{kRestore, "restore.committed"},
                             Point{kRestore, "restore.proved"},
                             Point{kRestore, "restore.declaring"},
                             Point{kRestore, "restore.declared"}};
enum class Victim { kCore, kPostgres };
constexpr std::array kVictims{"core", "postgres"};
constexpr int kClients = 6;
constexpr auto kHitLimit = 60s;

class Run {
 public:
  Run() : chains_(site_), evidence_(site_), load_(site_, ledger_, kClients) {}

  void strike(const Point& point, Victim victim) {
    const std::string name(point.name);
    try {
      if (point.name == kLocked) {
        kill_at_lock(victim);
      } else if (point.part == kRestore) {
        kill_restore(name, victim);
      } else {
        kill_at(name, victim);
      }
    } catch (const std::exception& error) {
      throw std::runtime_error(name + ", " + kVictims[static_cast<std::size_t>(victim)] + ": " +
                               error.what());
    }
    ++kills_;
  }

  void end_round() {
    load_.pause();
    evidence_.wait_until_archived();
    settle();
    chains_.read_again();
    evidence_.check_mirror(chains_);
    evidence_.check_checkpoints(chains_);
    if (const auto blind = blind_rules(site_); restores_ > 0 && !blind.empty()) {
      throw std::runtime_error("no rule notices: " + blind);
    }
    verify_all();
  }

  void report(const std::string& name, int rounds) const {
    std::printf(
        R"({"name":"%s","rounds":%d,"kills":%d,"restores":%d,"entries":%llu,"acknowledged":%llu,)"
        R"("numbers_compared":%llu,"objects":%zu,"checkpoints":%zu,"broken":0})"
        "\n",
        name.c_str(), rounds, kills_, restores_, static_cast<unsigned long long>(chains_.entries()),
        static_cast<unsigned long long>(chains_.acknowledged()),
        static_cast<unsigned long long>(chains_.numbers_compared()), evidence_.objects(),
        evidence_.checkpoints());
  }

 private:
  void kill_at(const std::string& point, Victim victim) {
    load_.resume();
    arm(point, victim);
    kill_once_hit(point, victim);
    settle();
  }

  void kill_at_lock(Victim victim) {
    load_.resume();
    {
      const StoppedAppend stopped(site_);
      if (victim == Victim::kCore) {
        site_.kill_core(static_cast<std::size_t>(kills_) % AuditSite::kReplicas);
      } else {
        site_.crash_postgres();
      }
    }
    if (victim == Victim::kCore) {
      site_.replace_killed_core();
    }
    settle();
  }

  // A window is dropped, a restore is killed, and whatever became of the command, asking again
  // brings everything back.
  void kill_restore(const std::string& point, Victim victim) {
    load_.resume();
    arm(point, victim);
    const Window window = site_.drop_window();
    auto command = site_.begin_restore(window);
    kill_once_hit(point, victim);
    constexpr int kAttempts = 3;
    for (int attempt = 1; command->wait(90s) != 0; ++attempt) {
      if (attempt == kAttempts) {
        throw std::runtime_error("the window does not come back: " + command->err());
      }
      command = site_.begin_restore(window);
    }
    ++restores_;
    settle();
  }

  void arm(const std::string& point, Victim victim) {
    if (victim == Victim::kCore) {
      failpoints_.arm_kill(point);
    } else {
      failpoints_.arm_pause(point);
    }
  }

  void kill_once_hit(const std::string& point, Victim victim) {
    if (!failpoints_.hit(point, kHitLimit)) {
      throw std::runtime_error("nobody reaches the point; is this a build with failpoints?");
    }
    if (victim == Victim::kCore) {
      site_.replace_killed_core();
    } else {
      site_.crash_postgres();
    }
    failpoints_.release(point);
  }

  // All is well again, and is as clients were told.
  void settle() {
    load_.pause();
    site_.wait_until_ready();
    chains_.read();
    chains_.compare(ledger_.take());
    if (const auto broken = broken_rules(site_); !broken.empty()) {
      throw std::runtime_error(broken);
    }
  }

  // The server's own walk over every chain that has an owner: one that was cut off between a
  // Domain's key and the Domain has none, and nobody may ask for it.
  void verify_all() const {
    const sim::Api api(site_.url(0), site_.operator_token());
    std::istringstream domains(site_.sql("SELECT id FROM tenancy.domains"));
    std::vector<std::string> paths{"/v1/platform/audit"};
    for (std::string domain; std::getline(domains, domain);) {
      paths.push_back("/v1/domains/" + domain + "/audit");
    }
    for (const std::string& path : paths) {
      const auto answer = api.raw("POST", path + "/verify", "{}");
      if (answer.status != 200 || answer.body.find("\"ok\":true") == std::string::npos) {
        throw std::runtime_error(path + " is not verified: " + answer.body);
      }
    }
  }

  test_support::Failpoints failpoints_;  // before the site, whose processes inherit it
  AuditSite site_;
  Ledger ledger_;
  Chains chains_;
  Evidence evidence_;
  Load load_;
  int kills_ = 0;
  int restores_ = 0;
};

struct Wanted {
  int rounds = 0;
  std::vector<Victim> victims;
  std::vector<std::string_view> parts;
  std::string name = "audit_killed";
};

// Nothing for arguments that make no sense.
std::optional<Wanted> read_arguments(const std::vector<std::string>& arguments) {
  Wanted out;
  out.rounds = arguments.empty() ? 0 : std::atoi(arguments[0].c_str());
  for (std::size_t i = 0; i < kVictims.size(); ++i) {
    if (arguments.size() < 2 || arguments[1] == kVictims[i]) {
      out.victims.push_back(static_cast<Victim>(i));
    }
  }
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    out.name += "_" + arguments[i];
    const auto part = std::find(kParts.begin(), kParts.end(), arguments[i]);
    if (i > 1 && part == kParts.end()) {
      return std::nullopt;
    }
    if (i > 1) {
      out.parts.push_back(*part);
    }
  }
  if (out.parts.empty()) {
    out.parts.assign(kParts.begin(), kParts.end());
  }
  return out.rounds < 1 || out.victims.empty() ? std::nullopt : std::optional(out);
}

void run(const Wanted& wanted) {
  Run kills;
  for (int round = 1; round <= wanted.rounds; ++round) {
    for (const Victim victim : wanted.victims) {
      for (const Point& point : kPoints) {
        if (std::ranges::find(wanted.parts, point.part) != wanted.parts.end()) {
          kills.strike(point, victim);
        }
      }
    }
    kills.end_round();
    std::cerr << "audit: round " << round << " of " << wanted.rounds << std::endl;
  }
  kills.report(wanted.name, wanted.rounds);
}

int run_command(const std::vector<std::string>& arguments) {
  const auto what = read_arguments(arguments);
  if (!what) {
    std::cerr << "usage: audit ROUNDS [core|postgres [append|checkpoint|archive|restore]...]\n";
    return 2;
  }
  run(*what);
  return 0;
}

}  // namespace
}  // namespace plexsphere::soak

int main(int argc, char** argv) {
  try {
    return plexsphere::soak::run_command({argv + 1, argv + argc});
  } catch (const std::exception& error) {
    std::cerr << "audit: " << error.what() << std::endl;
    return 1;
  }
}
