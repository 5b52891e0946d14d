// A connection that the engine has given away: it belongs to whoever holds this.
#pragma once

#include <Poco/Net/StreamSocket.h>

#include <memory>
#include <string>
#include <utility>

namespace plexsphere::host::http {

struct DetachedConnection {
  DetachedConnection() = default;
  DetachedConnection(Poco::Net::StreamSocket its_socket, std::string its_peer, std::string its_head,
                     bool is_chunked, std::shared_ptr<void> its_slot)
      : socket(std::move(its_socket)),
        peer(std::move(its_peer)),
        head(std::move(its_head)),
        chunked(is_chunked),
        slot(std::move(its_slot)) {}
  // Poco's sockets do not move, they share; a connection that was handed to another thread must not
  // be held by this one still.
  DetachedConnection(DetachedConnection&& other)
      : DetachedConnection(other.socket, std::move(other.peer), std::move(other.head),
                           other.chunked, std::move(other.slot)) {
    other.socket = Poco::Net::StreamSocket();
  }
  DetachedConnection(const DetachedConnection&) = delete;
  DetachedConnection& operator=(const DetachedConnection&) = delete;
  ~DetachedConnection() = default;

  Poco::Net::StreamSocket socket;  // not blocking, its TLS handshake done; registered nowhere
  std::string peer;                // address of the other end, without port; may be empty
  std::string head;                // the response's head, to be written before anything else
  bool chunked = true;  // false for an HTTP/1.0 client: the body ends when the connection does
  std::shared_ptr<void> slot;  // counts as a connection of the engine until it is released
};

}  // namespace plexsphere::host::http
