// Erasure of a person from one chain: what stands beside the chain goes, the chain stays, and the
// erasing is an entry of it, all in one transaction.
//
// For good: later entries of the same person carry the same pseudonym and get nothing beside them,
// because one such row would give back all the earlier ones. So it is with the erasure's own entry
// where a person erases themselves.
//
// Thread-safe; blocks on the database.
#pragma once

#include <chrono>
#include <string>

#include "app/peppers.hpp"
#include "plexsphere/sdk/router.hpp"
#include "plexsphere/sdk/services.hpp"
#include "store/audit_store.hpp"

namespace plexsphere::audit {

class Erasure {
 public:
  struct Outcome {
    std::string pseudonym;   // 32 raw bytes
    sdk::Instant erased_at;  // when the erasure's own entry says it occurred
  };

  Erasure(AuditStore store, Peppers& peppers, sdk::Clock clock, sdk::Log log)
      : store_(std::move(store)), peppers_(peppers), clock_(clock), log_(log) {}

  // Idempotent on the pseudonym; each call appends an entry, and an identity that never was in the
  // chain is erased from it all the same. `timeout` bounds each statement. UNAVAILABLE
  // "pepper_unavailable", and the store's errors: then nothing has changed, except that with
  // UNKNOWN the outcome is open; repeating is safe.
  sdk::Result<Outcome> erase(const sdk::Uuid& chain, const sdk::Uuid& identity,
                             const sdk::Request& caller, std::chrono::milliseconds timeout) const;

 private:
  sdk::Result<Row> own_row(const sdk::Uuid& chain, const std::string& pseudonym,
                           const sdk::Request& caller, sdk::Instant now) const;

  AuditStore store_;
  Peppers& peppers_;
  sdk::Clock clock_;
  sdk::Log log_;
};

}  // namespace plexsphere::audit
