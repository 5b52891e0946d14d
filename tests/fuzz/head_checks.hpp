// Holds the request head against a naive reading of its bytes and against Poco's.
#pragma once

#include <optional>
#include <string_view>

#include "host/http/wire/head.hpp"

namespace plexsphere::fuzz {

namespace wire = host::http::wire;

// The head at the front of `bytes`; nullopt when it is refused or not all there.
std::optional<wire::Head> check_head(std::string_view bytes);

}  // namespace plexsphere::fuzz
