// /v1/projects/{project_id}/bootstrap-tokens: issue, list, get, revoke.
#pragma once

#include "app/token_service.hpp"
#include "plexsphere/sdk/cursor.hpp"
#include "plexsphere/sdk/router.hpp"

namespace plexsphere::identity {

// [init] Service and codec outlive the routes.
sdk::Status add_token_routes(const sdk::Router& router, const TokenService& tokens,
                             const sdk::CursorCodec& cursors, const sdk::Authz& authz);

}  // namespace plexsphere::identity
