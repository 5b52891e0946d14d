// POST /v1/nodes/{id}/deregister for the Node, POST /v1/admin/nodes/{id}/deregister for operators.
#pragma once

#include "app/deregistration.hpp"
#include "plexsphere/sdk/router.hpp"

namespace plexsphere::identity {

// [init] `deregistration` outlives the router.
sdk::Status add_deregister_routes(const sdk::Router& router, const Deregistration& deregistration);

// An agent sends no body, or {}.
bool empty_body(std::string_view body);

}  // namespace plexsphere::identity
