// Listening sockets: TCP of both families, unix, and those inherited from a service manager.
//
// Thread safety: none; the engine's own thread uses a listener. Ownership: a Listener owns its
// descriptor and removes the file of a unix socket that it made.
#pragma once

#include <Poco/Net/StreamSocket.h>

#include <optional>
#include <string>

#include "host/base/file.hpp"
#include "host/base/result.hpp"

namespace plexsphere::host::http::engine {

class Listener {
 public:
  // "host:port", ":port" (every interface, both families), "[v6]:port", "unix:/path", and each TCP
  // form after "tls:". Port 0 takes a free one. A unix socket's file that nobody serves any more is
  // replaced; it is made with mode 0660.
  static Result<Listener> open(const std::string& address);
  // Takes over a socket that listens already.
  static Result<Listener> adopt(int descriptor, bool tls);

  Listener(Listener&& other) noexcept;
  Listener& operator=(Listener&&) = delete;
  ~Listener();

  int descriptor() const { return descriptor_.get(); }
  bool tls() const { return tls_; }
  // As it was bound: "127.0.0.1:40113", "tls:[::1]:443", "unix:/path".
  const std::string& address() const { return address_; }

  struct Accepted {
    Poco::Net::StreamSocket socket;  // not blocking
    std::string peer;                // without port; empty on a unix socket
  };
  enum class Outcome { kAccepted, kNothing, kExhausted };
  // The next connection. kNothing: none waits. kExhausted: the process or the system is out of
  // descriptors or memory; try again later.
  Outcome accept(std::optional<Accepted>& out);

 private:
  Listener(FileDescriptor descriptor, bool tls, std::string address, std::string owned_path);

  FileDescriptor descriptor_;
  bool tls_;
  std::string address_;
  std::string owned_path_;
};

}  // namespace plexsphere::host::http::engine
