// Judges what a plugin answers before it goes on the network. Internal to host/http.
#pragma once

#include "host/base/result.hpp"
#include "host/http/message.hpp"
#include "host/http/problem.hpp"
#include "plexsphere/abi/router.h"

namespace plexsphere::host::http::detail {

// Refused: a status outside 200..599, a header name that is no token (RFC 9110, 5.6.2), a header
// value or content type with control characters. Headers that belong to the engine (Connection,
// Content-Length, Date, Transfer-Encoding) are left out.
Result<Response> from_wire(const px_response& response);

// The same for the head of a stream, whose status must be 200..299.
Status check_stream_head(Response& head);

// A status outside 400..599 or a badly formed code becomes 500 "internal"; bad headers are left
// out.
Problem from_wire(const px_problem& problem);

}  // namespace plexsphere::host::http::detail
