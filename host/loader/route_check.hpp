// Routes as a plugin registered them against routes as its manifest lists them.
#pragma once

#include <vector>

#include "host/base/result.hpp"
#include "host/config/manifest.hpp"
#include "host/http/pipeline/route.hpp"

namespace plexsphere::host::loader {

// The registered routes must be exactly the manifest's provisioned ones, by method and template.
Status check_routes(const config::Manifest& manifest, const std::vector<http::Route>& registered);

// 501s with their codes: of every route of the manifest, or only of those that this version of the
// plugin does not build.
std::vector<http::Route> unprovisioned_routes(const config::Manifest& manifest, bool all);

}  // namespace plexsphere::host::loader
