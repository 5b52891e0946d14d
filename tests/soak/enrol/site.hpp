// One deployment that is killed again and again, and what must be true of its database each time.
//
// Thread safety: url, prepare and the agents' calls from any thread; the rest from one. Owns every
// process.
#pragma once

#include <mutex>
#include <string>
#include <vector>

#include "e2e/deployment.hpp"

namespace plexsphere::soak {

// A registration that would succeed, as its body.
struct Wanted {
  std::string body;
};

class EnrolSite {
 public:
  EnrolSite();

  std::string url() const;
  // `count` new Resources with a token, a key and a nonce each. Each its Domain: kDomains at most.
  enum class Spread { kOneDomain, kEachItsDomain };
  std::vector<Wanted> prepare(int count, Spread spread);

  // Waits until the core has ended by itself and starts another in its place.
  void replace_core();
  // SIGKILL to the server, then recovery; the core may take its time to notice.
  void crash_postgres();
  void wait_until_ready() const;

  // What is not as it should be, in words; empty when all is well. `nodes`: how many there are.
  std::string broken_invariants(int nodes);
  // The first damage that no invariant notices, tried in a transaction that is rolled back; empty
  // when each is noticed. There must be Nodes, replays among them.
  std::string blind_invariants();
  // The verdict of the server's own walk over every Domain's audit chain.
  bool audit_chains_intact() const;

 private:
  static constexpr int kDomains = 10;

  void start_core();
  sim::Operator op() const { return {url(), deployment_.operator_token()}; }

  e2e::Deployment deployment_;
  e2e::Core* core_ = nullptr;  // the live one, owned by deployment_
  mutable std::mutex mutex_;
  std::string url_;  // under mutex_
  std::vector<std::string> domains_;
  std::vector<std::string> projects_;  // one in each Domain
  int prepared_ = 0;                   // Resources
  int batches_ = 0;                    // calls of prepare
};

}  // namespace plexsphere::soak
