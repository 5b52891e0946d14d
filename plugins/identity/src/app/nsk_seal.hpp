// How Node secret keys are sealed: under their Domain's wrap key, bound to their Node. Pure.
#pragma once

#include <string>

#include "plexsphere/sdk/uuid.hpp"

namespace plexsphere::identity {

inline std::string nsk_scope(const sdk::Uuid& domain_id) {
  return "domain:" + domain_id.text();
}

inline std::string nsk_binding(const sdk::Uuid& node_id) {
  return std::string("nsk").append(node_id.bytes());
}

}  // namespace plexsphere::identity
