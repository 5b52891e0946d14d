// Bodies of this context's requests, decoded and judged by the domain's rules. Pure, any thread.
#pragma once

#include <string_view>
#include <variant>

#include "plexsphere/sdk/router.hpp"
#include "store/rows.hpp"

namespace plexsphere::tenancy {

template <typename T>
using Decoded = std::variant<T, sdk::Problem>;

// 400 "invalid_domain" or "invalid_reachability_policy". Unknown members are ignored.
Decoded<DomainRow> decode_domain(std::string_view body);

// 400 "invalid_body" for what is no JSON object, else "invalid_project". Unknown members are
// ignored.
Decoded<ProjectRow> decode_project(std::string_view body);

// 400 "invalid_body"; "invalid_resource_origin" for an unknown origin or members of the other one;
// 501 "resources_not_provisioned" for a sound request to provision. Unknown members are refused.
Decoded<ResourceRow> decode_resource(std::string_view body);

}  // namespace plexsphere::tenancy
