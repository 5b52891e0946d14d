// Each Domain's reachability policy, remembered for a few seconds: heartbeats and state pulls need
// it every time, and it changes about never.
// Thread safety: any thread; a miss asks tenancy, which blocks.
#pragma once

#include <chrono>
#include <shared_mutex>
#include <unordered_map>

#include "domain/reachability.hpp"
#include "plexsphere/sdk/ports/tenancy.hpp"
#include "plexsphere/sdk/services.hpp"

namespace plexsphere::mesh {

class PolicyCache {
 public:
  // A change of the policy is seen by every replica within this time.
  static constexpr std::chrono::seconds kLifetime{5};
  static constexpr std::size_t kMaxDomains = 10'000;  // then it starts anew

  PolicyCache(sdk::Tenancy tenancy, sdk::Clock clock) : tenancy_(tenancy), clock_(clock) {}

  // As px.tenancy answers: NOT_FOUND "domain_not_found", UNAVAILABLE.
  sdk::Result<SilencePolicy> of(const sdk::Uuid& domain_id);

 private:
  struct Entry {
    SilencePolicy policy;
    std::chrono::nanoseconds expires;  // steady clock
  };

  sdk::Tenancy tenancy_;
  sdk::Clock clock_;
  std::shared_mutex mutex_;
  std::unordered_map<sdk::Uuid, Entry> entries_;  // only under mutex_
};

}  // namespace plexsphere::mesh
