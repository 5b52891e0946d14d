// How full address pools are, as the allocator counts them.
// Thread safety: declare at configure, then any thread; blocks.
#pragma once

#include <string>
#include <vector>

#include "plexsphere/sdk/store.hpp"

namespace plexsphere::mesh {

struct PoolUsage {
  sdk::Uuid domain_id;
  std::string pool;  // CIDR
  std::int64_t used = 0;
  double capacity = 0;             // above zero
  std::int64_t alarm_percent = 0;  // the threshold that was told of it: 0, 80 or 95
};

// All pools that can give out anything.
struct PoolSummary {
  std::vector<PoolUsage> fullest;  // fullest first
  std::int64_t pools = 0;
  std::int64_t past_80 = 0;  // those past 95 too
  std::int64_t past_95 = 0;
};

class PoolStore {
 public:
  sdk::Status declare(const sdk::Store& store);
  // At most `limit` pools in `fullest`.
  sdk::Result<PoolSummary> summary(const sdk::Transaction& tx, std::int64_t limit) const;

 private:
  sdk::Statement fullest_;
};

}  // namespace plexsphere::mesh
