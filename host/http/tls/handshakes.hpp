// TLS handshakes in progress: one thread, one epoll set, one deadline each.
//
// Handshakes cost a private-key operation, and a stranger may begin one and never go on. Neither
// may hold up the loop that serves established connections, so they have a thread of their own.
//
// Thread safety: add and figures from any thread. Ownership: owns what is under way.
#pragma once

#include <Poco/Net/StreamSocket.h>

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>

namespace plexsphere::host::http::tls {

// What travels with a socket through its handshake, untouched.
struct Handshake {
  Poco::Net::StreamSocket socket;  // from Certificates::wrap
  std::string peer;
  std::shared_ptr<void> slot;
};

class Handshakes {
 public:
  // `done` gets each socket whose handshake has succeeded; called on the handshake thread, must not
  // block and must not throw. Those that fail or take longer than `deadline`, counted from add, are
  // closed and counted. The socket may hold bytes already that came with the end of the handshake:
  // read it at once, the kernel may not report them again. Throws std::system_error when the system
  // has no descriptor or thread left.
  Handshakes(std::chrono::milliseconds deadline, std::function<void(Handshake)> done);
  // Drops what is under way.
  ~Handshakes();
  Handshakes(const Handshakes&) = delete;
  Handshakes& operator=(const Handshakes&) = delete;

  // Takes constant time and does not touch the socket. No bound of its own: the caller's limit on
  // connections is the bound. Throws std::invalid_argument for a socket that is not from wrap.
  void add(Handshake handshake);
  // For when nothing is added any more: clients that have not said hello by then are closed after
  // `patience`, the others keep the time they have.
  void hurry_silent(std::chrono::milliseconds patience);
  // Closes what is under way, soon.
  void cut();
  std::size_t under_way() const noexcept;
  std::size_t succeeded() const noexcept;
  std::size_t failed() const noexcept;  // refused, broken, or too slow

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace plexsphere::host::http::tls
