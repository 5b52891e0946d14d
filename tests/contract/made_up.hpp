// Requests for tests that walk all operations.
#pragma once

#include <string>

#include "contract/api_document.hpp"

namespace plexsphere::contract {

// The template with `id` for every parameter, a key for the one of reports, and the query that an
// operation cannot do without.
inline std::string target_of(const Operation& operation, const std::string& id) {
  std::string out;
  for (std::size_t at = 0; at < operation.path.size();) {
    if (operation.path[at] != '{') {
      out += operation.path[at++];
      continue;
    }
    const std::size_t end = operation.path.find('}', at);
    out += operation.path.substr(at, end - at) == "{key" ? "load" : id;
    at = end + 1;
  }
  return operation.id == "GetAdminTokens" ? out + "?identity_ref=user:" + id : out;
}

}  // namespace plexsphere::contract
