// Rows of Domains. Blocks: call it on workers or own threads. Immutable after declare, any thread.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "plexsphere/sdk/store.hpp"
#include "store/rows.hpp"

namespace plexsphere::tenancy {

class DomainStore {
 public:
  // [init]
  sdk::Status declare(const sdk::Store& store);

  // Fills in the row's times. ALREADY_EXISTS "domain_slug_conflict" or "mesh_cidr_overlap".
  sdk::Status insert(const sdk::Transaction& tx, DomainRow& row) const;
  // The refusal that insert would meet now, so that a caller hears it before a key is made.
  sdk::Status foresee_conflict(std::string_view slug, std::string_view mesh_cidr) const;
  // NOT_FOUND "domain_not_found".
  sdk::Result<DomainRow> find(const sdk::Uuid& id) const;
  // The pool, or nothing when there is no such Domain.
  sdk::Result<std::optional<std::string>> pool(const sdk::Transaction& tx,
                                               const sdk::Uuid& id) const;
  // In slug order, after `slug` (empty: from the start).
  sdk::Result<std::vector<DomainRow>> list(std::string_view after_slug, int64_t limit) const;
  sdk::Result<bool> exists(const sdk::Uuid& id) const;

 private:
  sdk::Store store_;
  sdk::Statement insert_;
  sdk::Statement conflicts_;
  sdk::Statement find_;
  sdk::Statement pool_;
  sdk::Statement list_;
  sdk::Statement exists_;
};

}  // namespace plexsphere::tenancy
