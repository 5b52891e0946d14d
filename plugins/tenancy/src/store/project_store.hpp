// Rows of Projects and of the mesh ranges reserved for them. Blocks: call it on workers or own
// threads. Immutable after declare, any thread.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "plexsphere/sdk/store.hpp"
#include "store/rows.hpp"

namespace plexsphere::tenancy {

// Where a page of Projects begins: after this slug and id.
struct ProjectPosition {
  std::string slug;
  sdk::Uuid id;
};

class ProjectStore {
 public:
  // [init]
  sdk::Status declare(const sdk::Store& store);

  // Fills in the row's times. ALREADY_EXISTS "project_slug_conflict"; FAILED_PRECONDITION
  // "parent_domain_missing".
  sdk::Status insert(const sdk::Transaction& tx, ProjectRow& row) const;
  // `pool` is the Domain's as this transaction has read it. ALREADY_EXISTS "sub_range_overlap";
  // ABORTED when the pool is another one by now.
  sdk::Status reserve(const sdk::Transaction& tx, const ProjectRow& row,
                      std::string_view pool) const;
  // NOT_FOUND "project_not_found".
  sdk::Result<ProjectRow> find(const sdk::Uuid& id) const;
  sdk::Result<sdk::Uuid> domain_of(const sdk::Uuid& id) const;
  sdk::Result<sdk::Uuid> domain_of(const sdk::Transaction& tx, const sdk::Uuid& id) const;
  // In order of slug and id, of one Domain or of all.
  sdk::Result<std::vector<ProjectRow>> list(const std::optional<sdk::Uuid>& domain,
                                            const ProjectPosition& after, int64_t limit) const;

 private:
  sdk::Store store_;
  sdk::Statement insert_;
  sdk::Statement reserve_;
  sdk::Statement find_;
  sdk::Statement domain_of_;
  sdk::Statement list_all_;
  sdk::Statement list_in_domain_;
};

}  // namespace plexsphere::tenancy
