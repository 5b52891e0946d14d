// GET and DELETE /v1/auth/whoami.
#pragma once

#include "plexsphere/sdk/router.hpp"
#include "store/operator_store.hpp"

namespace plexsphere::identity {

// [init] `operators` outlives the routes.
sdk::Status add_whoami_routes(const sdk::Router& router, const OperatorStore& operators);

}  // namespace plexsphere::identity
