// POST /v1/register.
#pragma once

#include "app/registration.hpp"
#include "plexsphere/sdk/router.hpp"

namespace plexsphere::identity {

// [init] `registration` outlives the route.
sdk::Status add_register_route(const sdk::Router& router, const Registration& registration);

namespace detail {

// A body as a command, or the 400 or 422 that it deserves. Exposed for tests.
struct Decoded {
  RegisterCommand command;
  std::optional<sdk::Problem> refused;
};
Decoded decode_register(std::string_view body);

}  // namespace detail

}  // namespace plexsphere::identity
