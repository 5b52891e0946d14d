// Whose request is it, when trusted proxies stand in between?
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "host/http/ip_address.hpp"

namespace plexsphere::host::http {

// The last address in X-Forwarded-For that is no trusted proxy, if `peer` is one; else `peer`.
// An entry that is no address ends the search: what stands left of it cannot be trusted.
std::string client_address(std::string_view peer, std::string_view forwarded_for,
                           std::span<const IpPrefix> trusted);

}  // namespace plexsphere::host::http
