// One deployment for the enrolment benchmark: registrations over HTTP, and the same SQL by pgbench.
//
// Not thread-safe. Owns every process.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "e2e/deployment.hpp"

namespace plexsphere::bench {

inline constexpr int kEnrolClients = 8;

// Which Argon2id a token was issued with; whoever redeems it pays that.
enum class TokenCost { kConfigured, kMinimum };

// Registrations that would succeed, in new Domains; consecutive ones are of different Domains.
struct Batch {
  std::vector<std::string> projects;  // one in each Domain
  std::vector<std::string> requests;  // whole HTTP requests
};

struct Rate {
  double per_second = 0;
  double p99_ms = 0;
};

// How run_as_sql drives pgbench.
struct SqlRun {
  int clients = kEnrolClients;  // of which Batch's size is a multiple
  bool audited = true;          // with the call that appends the audit rows
};

class EnrolSite {
 public:
  EnrolSite();

  // Each Domain has one Node already, so that its keys and its chain are made. `count` is a
  // multiple of kEnrolClients.
  Batch prepare(int domains, int count, TokenCost cost);
  // Every request, each over a connection of its own, kEnrolClients at a time. Throws when one is
  // not answered 201.
  Rate register_all(const Batch& batch) const;
  // The same registrations as SQL: transactions per second. Throws when one fails.
  double run_as_sql(const Batch& batch, const SqlRun& how = {});
  // Rows of every table of the product.
  std::map<std::string, std::int64_t> rows();

 private:
  sim::Operator issuer(TokenCost cost) const;
  std::string next_cidr();

  e2e::Deployment deployment_;
  std::string url_;        // of a core with the default cost
  std::string cheap_url_;  // of one with the minimum
  int domains_ = 0;
};

}  // namespace plexsphere::bench
