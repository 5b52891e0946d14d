// Holds the route table against a search through all templates, one segment after the other.
#pragma once

#include <string_view>

namespace plexsphere::fuzz {

void check_routes(std::string_view method, std::string_view target);

}  // namespace plexsphere::fuzz
