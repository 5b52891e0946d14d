// /v1/admin/tokens: API tokens of anybody, for who may `manage` the owner's Domain, or the platform
// for an owner of no Domain. An owner or token that does not exist belongs to the platform, so that
// only who manages that learns of it.
#pragma once

#include "app/api_token_service.hpp"
#include "app/relation_gate.hpp"
#include "http/mint_gate.hpp"
#include "plexsphere/sdk/router.hpp"

namespace plexsphere::identity {

// [init] Service, gate and the minting gate's rate outlive the routes.
sdk::Status add_admin_token_routes(const sdk::Router& router, const ApiTokenService& tokens,
                                   RelationGate& gate, const MintGate& minting);

}  // namespace plexsphere::identity
