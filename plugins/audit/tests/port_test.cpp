// px.audit as its callers see it: staged with a change, recorded by itself.
#include <atomic>
#include <catch2/catch.hpp>
#include <thread>

#include "live_audit.hpp"
#include "support/wait_until.hpp"

namespace plexsphere::audit {
namespace {

using namespace std::chrono_literals;
using sdk::Uuid;
using test::ChainDatabase;
using test::change_in;
using test::decision_on;
using test::independent_verification;
using test::LiveAudit;

ChainDatabase& database() {
  static ChainDatabase instance;
  return instance;
}

Uuid new_domain() {
  return Uuid::v7(1);
}

std::string of_chain(const Uuid& chain) {
  return " WHERE domain_id = '" + chain.text() + "'";
}

std::string count(const std::string& from_where) {
  return database().query("SELECT count(*) FROM audit." + from_where);
}

TEST_CASE("a staged row commits with its change or not at all", "[audit][pg]") {
  const LiveAudit live(database());
  const Uuid domain = new_domain();
  REQUIRE(live.stage({change_in(domain), change_in(domain)}).ok());
  CHECK(independent_verification(database(), domain) == 2);
  {
    auto tx = live.store().begin();
    REQUIRE(tx.ok());
    REQUIRE(live.audit().stage(*tx, change_in(domain)).ok());
  }  // rolled back
  CHECK(independent_verification(database(), domain) == 2);
}

TEST_CASE("a principal that is refused again and again leaves a count, not a flood",
          "[audit][pg]") {
  LiveAudit live(database(), 16, "denials_per_minute = 5\n");
  const Uuid domain = new_domain();
  live.add_project("flood", {domain});
  sdk::AuditEntry denied = decision_on("flood");
  denied.reason = PX_REASON_INSUFFICIENT_RELATION;
  for (int i = 0; i < 40; ++i) {
    REQUIRE(live.record(denied).first == PX_OK);
  }
  CHECK(independent_verification(database(), domain) == 6);
  REQUIRE(live.record(decision_on("flood")).first == PX_OK);  // granted, and a row as ever
  REQUIRE(live.drain());
  CHECK(independent_verification(database(), domain) == 8);
  CHECK(
      database().query("SELECT string_agg(relation, ' ' ORDER BY seq) FROM audit.audit_log_entry" +
                       of_chain(domain)) ==
      "read read read read read audit.denials_capped read audit.denials_counted");
  CHECK(database().query("SELECT convert_from(canonical_bytes, 'UTF8')::json->'relation_path'->>0 "
                         "FROM audit.audit_log_entry" +
                         of_chain(domain) + " AND relation = 'audit.denials_counted'") ==
        "count:35");
  CHECK(live.metrics().find("plexsphere_audit_denials_counted_total 35") != std::string::npos);
}

TEST_CASE("two transactions that audit Domains in opposite order both commit", "[audit][pg]") {
  const LiveAudit live(database());
  const Uuid a = new_domain();
  const Uuid b = new_domain();
  constexpr int kRounds = 40;
  std::atomic<int> failures = 0;
  {
    const auto writer = [&](const Uuid& first, const Uuid& second) {
      for (int i = 0; i < kRounds; ++i) {
        failures += live.stage({change_in(first), change_in(second)}).ok() ? 0 : 1;
      }
    };
    const std::jthread one([&] { writer(a, b); });
    const std::jthread two([&] { writer(b, a); });
  }
  CHECK(failures == 0);
  CHECK(independent_verification(database(), a) == 2 * kRounds);
  CHECK(independent_verification(database(), b) == 2 * kRounds);
}

TEST_CASE("a change must name its chain", "[audit][pg]") {
  const LiveAudit live(database());
  const auto resolved = live.stage({decision_on("p")});
  REQUIRE_FALSE(resolved.ok());
  CHECK(resolved.error().code == sdk::Code::invalid_argument);
  const auto nowhere = live.stage({change_in(Uuid{})});
  REQUIRE_FALSE(nowhere.ok());
  CHECK(nowhere.error().reason == "domain_unresolved");
}

TEST_CASE("decisions of many callers are durable when they are answered", "[audit][pg]") {
  LiveAudit live(database());
  const Uuid a = new_domain();
  const Uuid b = new_domain();
  live.add_project("pa", {a});
  live.add_project("pb", {b});
  constexpr int kThreads = 16;
  constexpr int kEach = 25;
  std::atomic<int> failures = 0;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < kEach; ++i) {
          failures += live.record(decision_on(t % 2 == 0 ? "pa" : "pb")).first == PX_OK ? 0 : 1;
        }
      });
    }
  }
  CHECK(failures == 0);
  CHECK(independent_verification(database(), a) == kThreads / 2 * kEach);
  CHECK(independent_verification(database(), b) == kThreads / 2 * kEach);
  CHECK(live.metrics().find("plexsphere_audit_rows_appended_total{path=\"recorded\"") !=
        std::string::npos);
}

TEST_CASE("a decision across Domains is a row in each, under one correlation id", "[audit][pg]") {
  LiveAudit live(database());
  const Uuid a = new_domain();
  const Uuid b = new_domain();
  live.add_project("shared", {b, a});
  REQUIRE(live.record(decision_on("shared")).first == PX_OK);
  CHECK(count("audit_log_entry WHERE correlation_id = 'corr-shared'") == "2");
  CHECK(independent_verification(database(), a) == 1);
  CHECK(independent_verification(database(), b) == 1);
  CHECK(count("audit_subject_pii" + of_chain(a)) == "1");
  CHECK(database().query("SELECT count(DISTINCT subject_pseudonym) FROM audit.audit_log_entry "
                         "WHERE correlation_id = 'corr-shared'") == "2");
}

TEST_CASE("residency follows object, subject, platform, and ends in refusal", "[audit][pg]") {
  LiveAudit live(database());
  const Uuid home = new_domain();
  auto entry = decision_on("nobody's");
  entry.subject_domain_id = home;
  REQUIRE(live.record(entry).first == PX_OK);
  CHECK(independent_verification(database(), home) == 1);

  const auto before = std::stoi(count("audit_log_entry" + of_chain(platform_anchor())));
  REQUIRE(live.record(decision_on("nobody's")).first == PX_OK);
  auto on_platform = decision_on("plexsphere");
  on_platform.object_type = "platform";
  on_platform.subject_domain_id = home;
  REQUIRE(live.record(on_platform).first == PX_OK);
  CHECK(independent_verification(database(), platform_anchor()) == before + 2);

  CHECK(live.record(decision_on("away")) ==
        std::pair<px_status, std::string>(PX_UNAVAILABLE, "audit_unavailable"));
  const auto nowhere = live.record(change_in(Uuid{}));
  CHECK(nowhere == std::pair<px_status, std::string>(PX_FAILED_PRECONDITION, "domain_unresolved"));
}

TEST_CASE("replicas agree on a chain's pepper, whoever made it first", "[audit][pg]") {
  std::vector<std::unique_ptr<LiveAudit>> replicas;
  for (int i = 0; i < 3; ++i) {
    replicas.push_back(std::make_unique<LiveAudit>(database()));
  }
  const Uuid domain = new_domain();
  std::atomic<int> failures = 0;
  {
    std::vector<std::jthread> threads;
    for (const auto& replica : replicas) {
      for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&] { failures += replica->stage({change_in(domain)}).ok() ? 0 : 1; });
      }
    }
  }
  CHECK(failures == 0);
  CHECK(count("audit_pepper" + of_chain(domain)) == "1");
  CHECK(database().query("SELECT count(DISTINCT subject_pseudonym) FROM audit.audit_log_entry" +
                         of_chain(domain)) == "1");
  CHECK(independent_verification(database(), domain) == 12);
}

TEST_CASE("first entries of new chains need no second connection each", "[audit][pg]") {
  const LiveAudit live(database(), 2);  // a pool as small as its users are many
  constexpr int kThreads = 12;
  std::atomic<int> failures = 0;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&] {
        for (int i = 0; i < 5; ++i) {
          failures += live.stage({change_in(new_domain())}).ok() ? 0 : 1;
        }
      });
    }
  }
  CHECK(failures == 0);
}

TEST_CASE("without its pepper a chain takes nothing", "[audit][pg]") {
  const Uuid domain = new_domain();
  {
    const LiveAudit live(database());
    REQUIRE(live.stage({change_in(domain)}).ok());
  }
  database().tamper("UPDATE audit.audit_pepper SET sealed = '\\x00'" + of_chain(domain));
  LiveAudit live(database());
  live.add_project("sealed", {domain});
  const auto staged = live.stage({change_in(domain)});
  REQUIRE_FALSE(staged.ok());
  CHECK(staged.error().code == sdk::Code::unavailable);
  CHECK(staged.error().reason == "pepper_unavailable");
  CHECK(live.record(decision_on("sealed")) ==
        std::pair<px_status, std::string>(PX_UNAVAILABLE, "audit_unavailable"));
  CHECK(independent_verification(database(), domain) == 1);
}

TEST_CASE("while the database is away nothing is recorded, and afterwards it is again",
          "[audit][pg]") {
  ChainDatabase own(test_support::PgCluster::durable());
  LiveAudit live(own);
  const Uuid domain = new_domain();
  live.add_project("p", {domain});
  REQUIRE(live.record(decision_on("p")).first == PX_OK);
  own.cluster().stop(test_support::PgCluster::StopMode::kImmediate);
  CHECK(live.record(decision_on("p")).first == PX_UNAVAILABLE);
  CHECK_FALSE(live.stage({change_in(domain)}).ok());
  own.cluster().start();
  CHECK(
      test_support::wait_until(20s, [&] { return live.record(decision_on("p")).first == PX_OK; }));
  CHECK(live.stage({change_in(domain)}).ok());
  CHECK(independent_verification(own, domain) >= 3);
}

TEST_CASE("draining flushes what waits", "[audit][pg]") {
  LiveAudit live(database());
  const Uuid domain = new_domain();
  live.add_project("drained", {domain});
  std::atomic<int> answered = 0;
  for (int i = 0; i < 50; ++i) {
    live.audit().record(decision_on("drained"),
                        [&](const sdk::Status& status) { answered += status.ok() ? 1 : 0; });
  }
  REQUIRE(live.drain());
  CHECK(answered == 50);
  CHECK(independent_verification(database(), domain) == 50);
}

}  // namespace
}  // namespace plexsphere::audit
