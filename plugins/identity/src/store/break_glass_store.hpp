// Operators that plexsphere-bootstrap made, and whether the audit log has them. The service can
// note that it has; it can make none. Thread safety: declare at configure, then any thread; blocks.
// Transactions are the caller's.
#pragma once

#include <cstdint>
#include <vector>

#include "plexsphere/sdk/store.hpp"

namespace plexsphere::identity {

struct BreakGlassOperator {
  sdk::Uuid token_id;
  sdk::Uuid user_id;
  sdk::Instant made_at;
};

class BreakGlassStore {
 public:
  sdk::Status declare(const sdk::Store& store);

  // The operator of this token, noted as audited; nothing when it was before, or is none of these.
  // Waits for whoever is about to note the same.
  sdk::Result<std::vector<BreakGlassOperator>> note(const sdk::Transaction& tx,
                                                    const sdk::Uuid& token_id,
                                                    sdk::Instant now) const;
  // Up to `limit` of those nobody is noting, noted as audited.
  sdk::Result<std::vector<BreakGlassOperator>> note_next(const sdk::Transaction& tx,
                                                         sdk::Instant now,
                                                         std::int64_t limit) const;

 private:
  sdk::Statement note_, note_next_;
};

}  // namespace plexsphere::identity
