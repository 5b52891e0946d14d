// CreateProject and CreateResource: one transaction each for row, tuples, event and audit row.
// Any thread; block on the database.
#pragma once

#include "app/caller.hpp"
#include "app/services.hpp"

namespace plexsphere::tenancy {

// `draft` has everything but id and times. FAILED_PRECONDITION "parent_domain_missing";
// INVALID_ARGUMENT "invalid_project" for a range outside the Domain's; ALREADY_EXISTS
// "project_slug_conflict", "sub_range_overlap"; those of the store.
sdk::Result<ProjectRow> create_project(Services& services, const Caller& caller, ProjectRow draft);

// `draft` has everything but id, Domain and times. NOT_FOUND "project_not_found"; ALREADY_EXISTS
// "external_ref_conflict"; those of the store.
sdk::Result<ResourceRow> create_resource(Services& services, const Caller& caller,
                                         ResourceRow draft);

}  // namespace plexsphere::tenancy
