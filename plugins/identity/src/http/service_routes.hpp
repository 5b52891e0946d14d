// POST /v1/domains/{id}/service-identities and POST /v1/auth/service/token.
#pragma once

#include "app/service_identities.hpp"
#include "app/service_sign_in.hpp"
#include "plexsphere/sdk/router.hpp"

namespace plexsphere::identity {

// [init] Both outlive the routes.
sdk::Status add_service_routes(const sdk::Router& router, const ServiceIdentities& identities,
                               const ServiceSignIn& sign_in);

namespace detail {

// Bodies as orders, or INVALID_ARGUMENT with the code of the 400. Exposed for tests.
sdk::Result<NewServiceIdentity> decode_service_identity(std::string_view body);
// `scoped`: whether a scope was asked for.
sdk::Result<SignInOrder> decode_sign_in(std::string_view body, bool& scoped);

}  // namespace detail

}  // namespace plexsphere::identity
