// Asks a running core to bring a window of an audit chain back from the mirror, and waits for the
// proof. The request is a row that only the database's administrator can write; the core has the
// mirror's key and does the work.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace plexsphere::host::apps {

struct RestoreRequest {
  std::string chain;  // a Domain's id, or the platform's anchor
  std::int64_t from = 0;
  std::int64_t to = 0;
  std::chrono::seconds wait{600};
};

struct RestoreAnswer {
  std::string id;       // of the request
  std::string outcome;  // "restored", "refused", or empty: it is still open
  std::string detail;   // the proof, the reason, or what keeps it from going on
};

// Throws StoreError: PX_INVALID_ARGUMENT "chain" or "window" for what no chain has;
// PX_FAILED_PRECONDITION "not_migrated".
[[nodiscard]] RestoreAnswer restore_audit(const std::string& admin_dsn,
                                          const RestoreRequest& request);

}  // namespace plexsphere::host::apps
