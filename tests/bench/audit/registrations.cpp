#include "bench/audit/parts.hpp"
#include "bench/enrol/site.hpp"
#include "bench/support/report.hpp"

namespace plexsphere::bench {
namespace {

constexpr int kDomains = 16;
constexpr int kClients = 16;
constexpr double kFloorOfUnaudited = 0.6;

}  // namespace

bool registrations(const Plan& plan) {
  EnrolSite site;
  std::vector<double> audited;
  std::vector<double> unaudited;
  for (int round = 0; round < plan.rounds; ++round) {
    const auto with = site.prepare(kDomains, plan.registrations, TokenCost::kMinimum);
    const auto without = site.prepare(kDomains, plan.registrations, TokenCost::kMinimum);
    audited.push_back(site.run_as_sql(with, {.clients = kClients}));
    unaudited.push_back(site.run_as_sql(without, {.clients = kClients, .audited = false}));
  }
  return report({"audit_registration_sql_sixteen_domains", median(audited), median(unaudited),
                 kFloorOfUnaudited});
}

}  // namespace plexsphere::bench
