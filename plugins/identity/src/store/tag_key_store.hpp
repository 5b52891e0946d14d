// When each version of the key that tags bootstrap tokens was first in use.
// Thread safety: declare at configure, then any thread; blocks. Transactions are the caller's.
#pragma once

#include <cstdint>
#include <optional>

#include "plexsphere/sdk/store.hpp"

namespace plexsphere::identity {

class TagKeyStore {
 public:
  sdk::Status declare(const sdk::Store& store);

  // Nothing for a version that is not on record.
  sdk::Result<std::optional<sdk::Instant>> first_used_at(std::int64_t version) const;
  // Now, by the database's clock; a version that is on record keeps its time.
  sdk::Status note(const sdk::Transaction& tx, std::int64_t version) const;

 private:
  sdk::Store store_;
  sdk::Statement first_used_, note_;
};

}  // namespace plexsphere::identity
