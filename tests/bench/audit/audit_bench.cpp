// What the audit log costs, each figure beside the machine's own limit in the same run,
// alternating, medians of five rounds:
//
//   decisions   recorded through the wire of px.audit by one caller with 256 outstanding, in one
//               Domain; beside multi-row plain inserts of the same canonical bytes, 256 to a
//               statement, into a table with a primary key and nothing around it. And in sixteen
//               Domains, beside one.
//   verify      a chain in the database, entry by entry with all its checks; beside hashing the
//   same
//               bytes in a loop.
//   memory      resident memory that verifying a million entries takes, beside ten thousand.
//
// Without fsync: whoever writes pays for COMMIT whether it is audited or not, and a slow disk would
// hide what auditing itself costs.
//
//   bench_audit [--short]      --short: one quick round, whatever the figures
#include <sodium.h>

#include <condition_variable>
#include <cstring>
#include <fstream>
#include <iostream>
#include <mutex>
#include <nlohmann/json.hpp>
#include <regex>
#include <stdexcept>

#include "app/digest.hpp"
#include "bench/support/report.hpp"
#include "domain/chain_walk.hpp"
#include "live_audit.hpp"

namespace {

using namespace plexsphere;
using namespace std::chrono_literals;
using audit::test::ChainDatabase;
using audit::test::LiveAudit;
using Clock = std::chrono::steady_clock;

constexpr int kOutstanding = 256;
constexpr int kRowsOfStatement = 256;
constexpr int kManyDomains = 16;
constexpr double kFloorOfInserts = 0.4;
constexpr double kFloorOfOneDomain = 0.9;
constexpr double kFloorOfHashing = 0.25;
constexpr double kCeilingOfMemory = 1.25;

struct Plan {
  int rounds = 5;
  std::chrono::milliseconds round = 1500ms;
  std::int64_t short_chain = 10'000;
  std::int64_t long_chain = 1'000'000;
};

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// Keeps kOutstanding decisions under way, each completion sending the next.
class Recorder {
 public:
  Recorder(const LiveAudit& live, std::vector<std::string> projects)
      : live_(live), projects_(std::move(projects)) {}

  double per_second(std::chrono::milliseconds limit) {
    const auto start = Clock::now();
    end_ = start + limit;
    recorded_ = 0;
    under_way_ = kOutstanding;
    for (int i = 0; i < kOutstanding; ++i) {
      send(static_cast<std::size_t>(i));
    }
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return under_way_ == 0; });
    if (!failure_.empty()) {
      throw std::runtime_error("a decision was refused: " + failure_);
    }
    return recorded_ / seconds_since(start);
  }

 private:
  void send(std::size_t slot) {
    const std::string& project = projects_[slot % projects_.size()];
    live_.audit().record(audit::test::decision_on(project), [this, slot](const sdk::Status& done) {
      bool again = false;
      {
        const std::lock_guard lock(mutex_);
        if (done.ok()) {
          ++recorded_;
        } else {
          failure_ = done.error().reason;
        }
        again = failure_.empty() && Clock::now() < end_;
        under_way_ -= again ? 0 : 1;
        changed_.notify_all();
      }
      if (again) {
        send(slot);
      }
    });
  }

  const LiveAudit& live_;
  const std::vector<std::string> projects_;
  Clock::time_point end_;
  std::mutex mutex_;
  std::condition_variable changed_;
  int recorded_ = 0;  // these three under mutex_
  int under_way_ = 0;
  std::string failure_;
};

// Projects of that many new Domains, one in each.
std::vector<std::string> new_projects(LiveAudit& live, int domains,
                                      std::vector<sdk::Uuid>& chains) {
  std::vector<std::string> projects;
  for (int i = 0; i < domains; ++i) {
    chains.push_back(sdk::Uuid::v7(i + 1));
    projects.push_back("project-" + chains.back().text());
    live.add_project(projects.back(), {chains.back()});
  }
  return projects;
}

// Values of one statement: bytes that the chains hold.
std::string values_of(const ChainDatabase& database) {
  return database.query(
      "SELECT string_agg('($1,' || n || ',''\\x' || bytes || ''')', ',') FROM "
      "(SELECT row_number() OVER () AS n, encode(canonical_bytes, 'hex') AS bytes "
      "FROM audit.audit_log_entry LIMIT " +
      std::to_string(kRowsOfStatement) + ") rows");
}

double inserted_per_second(host::persistence::Session& session, const std::string& values,
                           std::chrono::milliseconds limit) {
  const std::string sql = "INSERT INTO public.plain VALUES " + values;
  int rows = 0;
  const auto start = Clock::now();
  while (Clock::now() - start < limit) {
    session.run(sql, {sdk::Uuid::v7(1).text()});
    rows += kRowsOfStatement;
  }
  return rows / seconds_since(start);
}

bool decisions(const Plan& plan, ChainDatabase& database) {
  database.query(
      "CREATE TABLE public.plain (chain uuid, seq bigint, canonical_bytes bytea, "
      "PRIMARY KEY (chain, seq)); GRANT INSERT ON public.plain TO plexsphere_core; "
      "GRANT USAGE ON SCHEMA public TO plexsphere_core");
  LiveAudit live(database);
  std::vector<sdk::Uuid> chains;
  Recorder one(live, new_projects(live, 1, chains));
  Recorder sixteen(live, new_projects(live, kManyDomains, chains));
  (void)one.per_second(300ms);  // owners, peppers, prepared statements, rows to copy
  (void)sixteen.per_second(300ms);
  auto session = database.session();
  const std::string values = values_of(database);

  std::vector<double> in_one;
  std::vector<double> in_sixteen;
  std::vector<double> limit;
  for (int round = 0; round < plan.rounds; ++round) {
    in_one.push_back(one.per_second(plan.round));
    limit.push_back(inserted_per_second(session, values, plan.round));
    in_sixteen.push_back(sixteen.per_second(plan.round));
  }
  for (const sdk::Uuid& chain : chains) {
    if (audit::test::independent_verification(database, chain) <= 0) {
      throw std::runtime_error("the chain of " + chain.text() + " does not verify");
    }
  }
  const bool fast = bench::report(
      {"audit_decisions_one_domain", bench::median(in_one), bench::median(limit), kFloorOfInserts});
  const bool even = bench::report({"audit_decisions_sixteen_domains", bench::median(in_sixteen),
                                   bench::median(in_one), kFloorOfOneDomain});
  return fast && even;
}

// Bytes of this process that are resident.
double resident_bytes() {
  std::ifstream in("/proc/self/statm");
  double pages = 0;
  in >> pages >> pages;
  return pages * 4096;
}

class Chain {
 public:
  Chain(ChainDatabase& database, std::int64_t size) : database_(database), size_(size) {
    const audit::Row row = audit::test::row_of(id_, "project.read");
    std::string call = audit::test::append_call({row});
    call.erase(0, call.find("audit.port_append"));
    // The row of the call, as often as a statement takes it.
    const std::string many =
        std::regex_replace(call, std::regex(R"(ARRAY\[([^\]]*)\]::(\w+)\[\])"),
                           "array_fill($1::$2, ARRAY[" + std::to_string(kRowsOfStatement) + "])");
    const auto append = [&](const std::string& one, std::int64_t times) {
      (void)database_.query("SELECT sum(" + one + ") FROM generate_series(1, " +
                            std::to_string(times) + ")");
    };
    // Not all in one statement: psql is not waited for without end.
    constexpr std::int64_t kAtOnce = 200;
    std::int64_t calls = size / kRowsOfStatement;
    for (; calls > 0; calls -= kAtOnce) {
      append(many, std::min(calls, kAtOnce));
    }
    append(call, size % kRowsOfStatement);
  }

  // As an auditor asks for it.
  double verified_per_second(LiveAudit& live) const {
    live.add_domain(id_);
    const auto start = Clock::now();
    const auto reply = live.call("POST /v1/domains/{domain_id}/audit/verify",
                                 {{"domain_id", id_.text()}}, {}, "", 10min);
    const double took = seconds_since(start);
    const auto verdict = nlohmann::json::parse(reply.body, nullptr, false);
    if (reply.status != 200 || !verdict.value("ok", false) ||
        verdict.value("segment_to", std::int64_t{0}) != size_) {
      throw std::runtime_error("a chain that nobody touched does not verify: " + reply.body);
    }
    return static_cast<double>(size_) / took;
  }

  // The same hashes over bytes of the same size, with nothing to fetch or compare.
  double hashed_per_second() const {
    const std::string bytes = database_.query(
        "SELECT convert_from(canonical_bytes, 'UTF8') FROM audit.audit_log_entry "
        "WHERE domain_id = '" +
        id_.text() + "' AND seq = " + std::to_string(size_));
    std::string hash(audit::kHashSize, '\0');
    const auto start = Clock::now();
    for (std::int64_t i = 0; i < size_; ++i) {
      hash = audit::entry_hash(hash, bytes);
    }
    return static_cast<double>(size_) / seconds_since(start);
  }

 private:
  ChainDatabase& database_;
  const std::int64_t size_;
  const sdk::Uuid id_ = sdk::Uuid::v7(7);
};

bool verification(const Plan& plan, ChainDatabase& database) {
  LiveAudit live(database, 4, "verify_interval = \"24h\"\nverify_rate = 100\n");
  const Chain small(database, plan.short_chain);
  (void)small.verified_per_second(live);
  const double after_small = resident_bytes();
  const Chain large(database, plan.long_chain);
  (void)database.query("VACUUM ANALYZE audit.audit_log_entry");
  const double before = resident_bytes();
  std::vector<double> verified;
  std::vector<double> hashed;
  for (int round = 0; round < plan.rounds; ++round) {
    verified.push_back(large.verified_per_second(live));
    hashed.push_back(large.hashed_per_second());
  }
  const double grown = resident_bytes() - before;
  const bool fast = bench::report(
      {"audit_verify", bench::median(verified), bench::median(hashed), kFloorOfHashing});
  const bool flat = bench::report_cost(
      {"audit_verify_memory", after_small + std::max(grown, 0.0), after_small, kCeilingOfMemory});
  return fast && flat;
}

bool run(const Plan& plan) {
  ChainDatabase database;
  const bool written = decisions(plan, database);
  return verification(plan, database) && written;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (sodium_init() < 0) {
      return 1;
    }
    if (argc > 1 && std::strcmp(argv[1], "--short") == 0) {
      (void)run({.rounds = 1, .round = 200ms, .short_chain = 1'000, .long_chain = 5'000});
      return 0;
    }
    return run({}) ? 0 : 1;
  } catch (const std::exception& e) {
    std::cerr << "audit: " << e.what() << std::endl;
    return 1;
  }
}
