// Rows of Resources, and where they live. Blocks: call it on workers or own threads. Immutable
// after declare, any thread.
#pragma once

#include <string_view>
#include <vector>

#include "plexsphere/sdk/ports/tenancy.hpp"
#include "plexsphere/sdk/store.hpp"
#include "store/rows.hpp"

namespace plexsphere::tenancy {

class ResourceStore {
 public:
  // [init]
  sdk::Status declare(const sdk::Store& store);

  // Fills in the row's times. ALREADY_EXISTS "external_ref_conflict"; NOT_FOUND
  // "project_not_found" when the Project went away meanwhile.
  sdk::Status insert(const sdk::Transaction& tx, ResourceRow& row) const;
  // The row that is gone. NOT_FOUND "resource_not_found"; FAILED_PRECONDITION "resource_not_empty"
  // while a live Node stands on it.
  sdk::Result<ResourceRow> remove(const sdk::Transaction& tx, const sdk::Uuid& id) const;
  // NOT_FOUND "resource_not_found".
  sdk::Result<ResourceRow> find(const sdk::Uuid& id) const;
  // In order of id, which is the order of creation, after `id` (zero: from the start).
  sdk::Result<std::vector<ResourceRow>> list(const sdk::Uuid& project, const sdk::Uuid& after,
                                             int64_t limit) const;
  sdk::Result<sdk::Uuid> domain_of(const sdk::Uuid& id) const;

  // By id if it is not zero, else by handle: the external_ref, or the id as text where no
  // external_ref of the Project reads so. NOT_FOUND "project_not_found" or "resource_not_found".
  sdk::Result<sdk::Placement> place(const sdk::Uuid& project, std::string_view handle,
                                    const sdk::Uuid& id) const;
  // In another context's transaction; keeps the row until that ends. NOT_FOUND
  // "resource_not_found".
  sdk::Result<sdk::Placement> pin(px_tx* tx, const sdk::Uuid& id) const;

 private:
  sdk::Store store_;
  sdk::Statement insert_;
  sdk::Statement remove_;
  sdk::Statement find_;
  sdk::Statement list_;
  sdk::Statement domain_of_;
  sdk::Statement place_;
  sdk::Statement pin_;
};

}  // namespace plexsphere::tenancy
