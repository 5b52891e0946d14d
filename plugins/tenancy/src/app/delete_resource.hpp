// DeleteResource of an adopted Resource: one transaction for row, tuples, event and audit row.
// Any thread; blocks on the database.
#pragma once

#include "app/caller.hpp"
#include "app/services.hpp"

namespace plexsphere::tenancy {

// NOT_FOUND "resource_not_found"; FAILED_PRECONDITION "resource_not_empty" while a live Node stands
// on it: a machine leaves the mesh by its own deregistration, not by the way. Those of the store.
sdk::Status delete_resource(Services& services, const Caller& caller, const sdk::Uuid& id);

}  // namespace plexsphere::tenancy
