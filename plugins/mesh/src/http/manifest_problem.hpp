// What a Node is told whose capability manifest breaks a rule. Pure, any thread.
#pragma once

#include "domain/capabilities.hpp"
#include "plexsphere/sdk/router.hpp"

namespace plexsphere::mesh {

// 400, and 422 for discovered hooks.
sdk::Problem manifest_problem(ManifestFault fault);

}  // namespace plexsphere::mesh
