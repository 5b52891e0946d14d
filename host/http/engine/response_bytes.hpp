// A response as the bytes of HTTP/1.1, rendered with Poco's response class.
//
// Thread safety: free functions without shared state.
#pragma once

#include <string>

#include "host/http/message.hpp"

namespace plexsphere::host::http::engine {

struct ResponseForm {
  bool head_only = false;      // the answer to a HEAD
  bool keep_alive = true;      // what the connection does after it
  bool http10_client = false;  // such a client has to be told that the connection is kept
};

// Head and body in one piece, so that a small answer costs one system call.
std::string response_bytes(const Response& response, const ResponseForm& form);
// The head of a body without a known end: chunked, or until the connection closes for an HTTP/1.0
// client. The connection is not kept.
std::string stream_head_bytes(const Response& response, bool chunked);

}  // namespace plexsphere::host::http::engine
