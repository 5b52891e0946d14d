// Drops the kept nodes of an audit chain's Merkle tree, for the core to grow them anew.
#pragma once

#include <cstdint>
#include <string>

namespace plexsphere::host::apps {

// How many were dropped. Throws StoreError: PX_INVALID_ARGUMENT "chain" for what is no chain;
// PX_FAILED_PRECONDITION "not_migrated".
[[nodiscard]] std::int64_t rebuild_tree(const std::string& admin_dsn, const std::string& chain);

}  // namespace plexsphere::host::apps
