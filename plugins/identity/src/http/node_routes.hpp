// GET /v1/nodes.
#pragma once

#include "plexsphere/sdk/cursor.hpp"
#include "plexsphere/sdk/ports/audit.hpp"
#include "plexsphere/sdk/ports/authz.hpp"
#include "plexsphere/sdk/router.hpp"
#include "store/node_store.hpp"

namespace plexsphere::identity {

// [init] Store and codec outlive the route.
sdk::Status add_node_routes(const sdk::Router& router, const NodeStore& nodes,
                            const sdk::CursorCodec& cursors, const sdk::Authz& authz,
                            const sdk::Audit& audit);

}  // namespace plexsphere::identity
