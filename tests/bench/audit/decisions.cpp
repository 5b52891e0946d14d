#include <condition_variable>
#include <mutex>
#include <stdexcept>

#include "bench/audit/parts.hpp"
#include "bench/support/report.hpp"
#include "live_audit.hpp"

namespace plexsphere::bench {
namespace {

using namespace std::chrono_literals;
using audit::test::ChainDatabase;
using audit::test::LiveAudit;
using Clock = std::chrono::steady_clock;

constexpr int kOutstanding = 256;
constexpr int kRowsOfStatement = 256;
constexpr int kManyDomains = 16;
constexpr double kFloorOfInserts = 0.4;
constexpr double kFloorOfOneDomain = 0.9;

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
        if (under_way_ == 0) {
          changed_.notify_all();
        }
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

}  // namespace

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
  const bool fast =
      report({"audit_decisions_one_domain", median(in_one), median(limit), kFloorOfInserts});
  const bool even = report(
      {"audit_decisions_sixteen_domains", median(in_sixteen), median(in_one), kFloorOfOneDomain});
  return fast && even;
}

}  // namespace plexsphere::bench
