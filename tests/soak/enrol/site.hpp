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
  // `count` new Resources with a token, a key and a nonce each.
  std::vector<Wanted> prepare(int count);

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
  // The verdict of the server's own walk over the Domain's audit chain.
  bool audit_chain_intact() const;

 private:
  void start_core();
  sim::Operator op() const { return {url(), deployment_.operator_token()}; }

  e2e::Deployment deployment_;
  e2e::Core* core_ = nullptr;  // the live one, owned by deployment_
  mutable std::mutex mutex_;
  std::string url_;  // under mutex_
  std::string domain_;
  std::string project_;
  int prepared_ = 0;
};

}  // namespace plexsphere::soak
