// /v1/auth/tokens: a principal's own API tokens.
#pragma once

#include "app/api_token_service.hpp"
#include "http/mint_gate.hpp"
#include "plexsphere/sdk/router.hpp"

namespace plexsphere::identity {

// [init] `tokens` and the gate's rate outlive the routes.
sdk::Status add_api_token_routes(const sdk::Router& router, const ApiTokenService& tokens,
                                 const MintGate& minting);

}  // namespace plexsphere::identity
