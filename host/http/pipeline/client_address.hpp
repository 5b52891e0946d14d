// Whose request is it, when trusted proxies stand in between?
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "host/http/ip_address.hpp"

namespace plexsphere::host::http {

// Whether `peer` is a proxy whose word about the client is taken. A peer on a unix socket has no
// address: where there are trusted proxies at all, it is one that the operator placed.
bool is_trusted_proxy(std::string_view peer, std::span<const IpPrefix> trusted);

// The last address in X-Forwarded-For that is no trusted proxy, if `peer` is one; else `peer`.
// An entry that is no address ends the search: what stands left of it cannot be trusted.
std::string client_address(std::string_view peer, std::string_view forwarded_for,
                           std::span<const IpPrefix> trusted);

}  // namespace plexsphere::host::http
