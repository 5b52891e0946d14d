// One OpenAPI 3.1 document out of the fragments that plugins ship. Pure, any thread.
//
// A fragment is {"paths": {…}, "components": {"<kind>": {…}}, "tags": […]}. Operations and
// components keep their names, so two plugins may not claim the same operation, or the same
// component with different content.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "plexsphere/sdk/status.hpp"

namespace plexsphere::meta {

struct ApiFragment {
  std::string plugin;  // whose it is
  std::string json;
};

struct ApiDescription {
  std::string json;
  // Each names a plugin and the component its fragment refers to and nobody has, as happens when
  // the plugin that has it is disabled.
  std::vector<std::string> dangling;
};

// FAILED_PRECONDITION "openapi_conflict" names both plugins and what they both claim;
// INVALID_ARGUMENT "openapi_fragment" names the plugin whose fragment is not readable.
sdk::Result<ApiDescription> merge_api(const std::vector<ApiFragment>& fragments,
                                      std::string_view version);

}  // namespace plexsphere::meta
