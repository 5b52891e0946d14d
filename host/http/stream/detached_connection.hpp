// A connection that the engine has given away: it belongs to whoever holds this.
#pragma once

#include <Poco/Net/StreamSocket.h>

#include <memory>
#include <string>

namespace plexsphere::host::http {

struct DetachedConnection {
  Poco::Net::StreamSocket socket;  // not blocking, its TLS handshake done; registered nowhere
  std::string peer;                // address of the other end, without port; may be empty
  std::string head;                // the response's head, to be written before anything else
  bool chunked = true;  // false for an HTTP/1.0 client: the body ends when the connection does
  std::shared_ptr<void> slot;  // counts as a connection of the engine until it is released
};

}  // namespace plexsphere::host::http
