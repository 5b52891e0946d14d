// The contract's text forms of references, read strictly. Pure, any thread.
#pragma once

#include <optional>
#include <string_view>

#include "domain/relation.hpp"

namespace plexsphere::authz {

// "type:id". The type is [a-z][a-z0-9_-]{0,63}, the id 1 to 256 of [A-Za-z0-9._/=+~-].
std::optional<Object> parse_object(std::string_view text);

// "type:id" or "type:id#relation", the relation spelled as a type is. The type "serviceaccount" is
// another spelling of "service-identity".
std::optional<Subject> parse_subject(std::string_view text);

// Whether `text` may name a type or relation at all.
bool is_name(std::string_view text);

}  // namespace plexsphere::authz
