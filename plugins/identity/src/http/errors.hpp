// The one place where this context's refusals get their HTTP status. Pure, any thread.
#pragma once

#include "plexsphere/sdk/router.hpp"
#include "plexsphere/sdk/status.hpp"

namespace plexsphere::identity {

// By reason where the contract has a code, else by what px.store means by the error's code.
sdk::Problem problem_of(const sdk::Error& error);

}  // namespace plexsphere::identity
