// Registrations per second over HTTP, end to end, each over a connection of its own.
//
// At the configured cost of a token: beside Argon2id alone on all cores. At the minimum cost:
// beside the same SQL driven by pgbench (registration.sql), with as many clients, on the same
// server, with fsync. In one Domain, where registrations wait for each other, and in sixteen.
// Alternating, medians of five rounds, new Domains in each.
//
// Both leave the same number of rows in every table, or the comparison is none and the run fails.
//
//   bench_enrol [--short | ROUNDS]      five rounds unless told otherwise
#include <sodium.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <stdexcept>
#include <thread>
#include <vector>

#include "bench/enrol/site.hpp"
#include "bench/support/report.hpp"

namespace {

using namespace plexsphere;
using namespace std::chrono_literals;
using bench::EnrolSite;
using bench::TokenCost;
using Clock = std::chrono::steady_clock;

constexpr double kFloorOfArgon2id = 0.8;
constexpr double kFloorOfSql = 0.4;
constexpr auto kLimitRun = 2s;

// The default cost of a bootstrap token: OWASP's 19 MiB, two passes.
constexpr std::size_t kMemory = std::size_t{19456} * 1024;
constexpr unsigned long long kPasses = 2;

struct Plan {
  int rounds;
  int at_configured_cost;  // registrations of a round
  int at_minimum_cost;
};

double argon2id_per_second() {
  const unsigned threads = std::max(1U, std::thread::hardware_concurrency());
  std::atomic<int> done{0};
  const auto start = Clock::now();
  {
    std::vector<std::jthread> workers;
    for (unsigned i = 0; i < threads; ++i) {
      workers.emplace_back([&] {
        unsigned char out[32];
        const unsigned char salt[crypto_pwhash_SALTBYTES] = {};
        while (Clock::now() - start < kLimitRun) {
          if (crypto_pwhash(out, sizeof out, "bench", 5, salt, kPasses, kMemory,
                            crypto_pwhash_ALG_ARGON2ID13) == 0) {
            ++done;
          }
        }
      });
    }
  }
  return done / std::chrono::duration<double>(Clock::now() - start).count();
}

// How many rows the work adds to each table that it adds to.
template <typename Work>
std::map<std::string, std::int64_t> rows_added(EnrolSite& site, const Work& work) {
  const auto before = site.rows();
  work();
  std::map<std::string, std::int64_t> added;
  for (const auto& [table, count] : site.rows()) {
    const auto known = before.find(table);
    if (const auto more = count - (known == before.end() ? 0 : known->second); more != 0) {
      added[table] = more;
    }
  }
  return added;
}

std::string spell(const std::map<std::string, std::int64_t>& rows) {
  std::string out;
  for (const auto& [table, count] : rows) {
    out += " " + table + "=" + std::to_string(count);
  }
  return out;
}

// One number of Domains.
class Series {
 public:
  Series(EnrolSite& site, const Plan& plan, int domains)
      : site_(site), plan_(plan), domains_(domains) {}

  void round() {
    const auto dear = site_.prepare(domains_, plan_.at_configured_cost, TokenCost::kConfigured);
    const auto cheap = site_.prepare(domains_, plan_.at_minimum_cost, TokenCost::kMinimum);
    const auto as_sql = site_.prepare(domains_, plan_.at_minimum_cost, TokenCost::kMinimum);
    argon2id_.push_back(argon2id_per_second());
    note(site_.register_all(dear), dear_, dear_p99_);
    const auto ours =
        rows_added(site_, [&] { note(site_.register_all(cheap), cheap_, cheap_p99_); });
    const auto theirs = rows_added(site_, [&] { sql_.push_back(site_.run_as_sql(as_sql)); });
    if (ours != theirs) {
      throw std::runtime_error("registrations add" + spell(ours) + ", their SQL" + spell(theirs));
    }
  }

  bool report() const {
    const std::string at =
        "_" + std::to_string(domains_) + (domains_ == 1 ? "_domain" : "_domains");
    const bool dear = bench::report({.name = "enrol_beside_argon2id" + at,
                                     .ours = bench::median(dear_),
                                     .limit = bench::median(argon2id_),
                                     .floor = kFloorOfArgon2id,
                                     .p99_ms = bench::median(dear_p99_)});
    const bool cheap = bench::report({.name = "enrol_beside_sql" + at,
                                      .ours = bench::median(cheap_),
                                      .limit = bench::median(sql_),
                                      .floor = kFloorOfSql,
                                      .p99_ms = bench::median(cheap_p99_)});
    return dear && cheap;
  }

 private:
  static void note(const bench::Rate& rate, std::vector<double>& rates, std::vector<double>& p99s) {
    rates.push_back(rate.per_second);
    p99s.push_back(rate.p99_ms);
  }

  EnrolSite& site_;
  Plan plan_;
  int domains_;
  std::vector<double> argon2id_;
  std::vector<double> dear_;
  std::vector<double> dear_p99_;
  std::vector<double> cheap_;
  std::vector<double> cheap_p99_;
  std::vector<double> sql_;
};

bool run(const Plan& plan) {
  EnrolSite site;
  Series one(site, plan, 1);
  Series sixteen(site, plan, 16);
  for (int i = 0; i < plan.rounds; ++i) {
    one.round();
    sixteen.round();
  }
  const bool one_holds = one.report();
  return sixteen.report() && one_holds;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (sodium_init() < 0) {
      return 1;
    }
    if (argc > 1 && std::strcmp(argv[1], "--short") == 0) {
      (void)run({.rounds = 1, .at_configured_cost = 16, .at_minimum_cost = 64});
      return 0;
    }
    const int rounds = argc > 1 ? std::atoi(argv[1]) : 5;
    if (rounds < 1) {
      std::cerr << "usage: bench_enrol [--short | ROUNDS]\n";
      return 2;
    }
    return run({.rounds = rounds, .at_configured_cost = 160, .at_minimum_cost = 480}) ? 0 : 1;
  } catch (const std::exception& e) {
    std::cerr << "enrol: " << e.what() << std::endl;
    return 1;
  }
}
