// The headers that the host puts on every answer. Internal to host/http.
#pragma once

#include <string_view>

#include "host/http/message.hpp"

namespace plexsphere::host::http::detail {

// X-Correlation-Id and X-Content-Type-Options, replacing what a handler set, and Cache-Control
// unless a handler set it.
void add_own_headers(Response& response, std::string_view correlation_id);

}  // namespace plexsphere::host::http::detail
