#include "app/policy_cache.hpp"

#include <mutex>

namespace plexsphere::mesh {

sdk::Result<SilencePolicy> PolicyCache::of(const sdk::Uuid& domain_id) {
  const auto now = clock_.steady();
  {
    const std::shared_lock lock(mutex_);
    const auto at = entries_.find(domain_id);
    if (at != entries_.end() && now < at->second.expires) {
      return at->second.policy;
    }
  }
  const auto read = tenancy_.reachability_policy(domain_id);
  if (!read.ok()) {
    return read.error();
  }
  const SilencePolicy policy{read->stale_after, read->unreachable_after};
  const std::unique_lock lock(mutex_);
  if (entries_.size() >= kMaxDomains) {
    entries_.clear();
  }
  entries_.insert_or_assign(domain_id, Entry{policy, now + kLifetime});
  return policy;
}

}  // namespace plexsphere::mesh
