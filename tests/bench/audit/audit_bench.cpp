// Audit rows per second that commit with a change, beside multi-row plain inserts of the same
// bytes. Ours: eight writers, each in its own Domain, one row and nothing else in each transaction,
// through px.store and px.audit as any context calls them. Limit: the canonical bytes of those very
// rows, five hundred to a statement, into a table with a primary key and nothing around it. Same
// server, alternating rounds. Without fsync: a change pays for its COMMIT whether it is audited or
// not, and a slow disk would hide what auditing itself costs.
#include <atomic>
#include <chrono>
#include <iostream>
#include <thread>
#include <vector>

#include "bench/support/report.hpp"
#include "live_audit.hpp"

namespace {

using namespace plexsphere;
using namespace std::chrono_literals;
using audit::test::ChainDatabase;
using audit::test::LiveAudit;
using Clock = std::chrono::steady_clock;

constexpr int kWriters = 8;
constexpr int kRounds = 5;
constexpr auto kRound = 1500ms;
constexpr int kRowsOfStatement = 500;
constexpr double kFloor = 0.05;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

double staged_per_second(const LiveAudit& live, const std::vector<sdk::Uuid>& domains) {
  std::atomic<int> rows = 0;
  std::atomic<bool> failed = false;
  const auto start = Clock::now();
  {
    std::vector<std::jthread> writers;
    for (const sdk::Uuid& domain : domains) {
      writers.emplace_back([&, domain] {
        while (Clock::now() - start < kRound && !failed) {
          if (live.stage({audit::test::change_in(domain)}).ok()) {
            ++rows;
          } else {
            failed = true;
          }
        }
      });
    }
  }
  if (failed) {
    throw std::runtime_error("a row was refused");
  }
  return rows / seconds_since(start);
}

// Values of one statement: bytes that the chains hold.
std::string values_of(const ChainDatabase& database) {
  return database.query(
      "SELECT string_agg('($1,' || n || ',''\\x' || bytes || ''')', ',') FROM "
      "(SELECT row_number() OVER () AS n, encode(canonical_bytes, 'hex') AS bytes "
      "FROM audit.audit_log_entry LIMIT " +
      std::to_string(kRowsOfStatement) + ") rows");
}

double inserted_per_second(host::persistence::Session& session, const std::string& values) {
  const std::string sql = "INSERT INTO public.plain VALUES " + values;
  int rows = 0;
  const auto start = Clock::now();
  while (Clock::now() - start < kRound) {
    session.run(sql, {sdk::Uuid::v7(1).text()});
    rows += kRowsOfStatement;
  }
  return rows / seconds_since(start);
}

int run() {
  ChainDatabase database;
  database.query(
      "CREATE TABLE public.plain (chain uuid, seq bigint, canonical_bytes bytea, "
      "PRIMARY KEY (chain, seq)); GRANT INSERT ON public.plain TO plexsphere_core; "
      "GRANT USAGE ON SCHEMA public TO plexsphere_core");
  const LiveAudit live(database);
  std::vector<sdk::Uuid> domains;
  for (int i = 0; i < kWriters; ++i) {
    domains.push_back(sdk::Uuid::v7(i + 1));
  }
  staged_per_second(live, domains);  // peppers, prepared statements, rows to copy
  auto session = database.session();
  const std::string values = values_of(database);

  std::vector<double> ours;
  std::vector<double> limit;
  for (int round = 0; round < kRounds; ++round) {
    ours.push_back(staged_per_second(live, domains));
    limit.push_back(inserted_per_second(session, values));
  }
  for (const sdk::Uuid& domain : domains) {
    if (audit::test::independent_verification(database, domain) <= 0) {
      std::cerr << "audit: the chain of " << domain.text() << " does not verify" << std::endl;
      return 1;
    }
  }
  return bench::report({"audit", bench::median(ours), bench::median(limit), kFloor}) ? 0 : 1;
}

}  // namespace

int main() {
  try {
    return run();
  } catch (const std::exception& e) {
    std::cerr << "audit: " << e.what() << std::endl;
    return 1;
  }
}
