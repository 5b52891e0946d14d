// New wrap keys for Nodes' secret keys: asked for, and how far they are.
#pragma once

#include "app/rewrap.hpp"
#include "plexsphere/sdk/cursor.hpp"
#include "plexsphere/sdk/router.hpp"

namespace plexsphere::identity {

// [init] `rewrap` and `cursors` outlive the router.
sdk::Status add_rewrap_routes(const sdk::Router& router, const Rewrap& rewrap,
                              const sdk::CursorCodec& cursors);

}  // namespace plexsphere::identity
