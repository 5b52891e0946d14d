// Accepts connections on a unix socket and lets only the allowed users through.
//
// gRPC cannot tell who is at the other end of a unix socket, so the connection is accepted here,
// its peer credentials (SO_PEERCRED: the kernel's word, taken when the peer connected) are checked,
// and only then is the descriptor handed on. A refused connection is closed without a byte.
//
// Thread safety: start and stop from one thread. Ownership: owns the socket, its file and the
// accepting thread; the handler owns the descriptors it is given.
#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "domain/fault.hpp"
#include "rpc/endpoint.hpp"

namespace plexsphere::signing {

class UnixAcceptor {
 public:
  // Called on the accepting thread with a non-blocking descriptor that is now the handler's.
  using Accepted = std::function<void(int fd)>;
  using Refused = std::function<void(uid_t uid)>;

  // Makes the socket's directory with mode 0750 if it is absent; one that exists must belong to
  // this user and be closed to writing by its group and to everything by others. A socket file left
  // by a process that is gone is replaced; one that answers is not. Faults name the path and the
  // remedy.
  static Outcome<std::unique_ptr<UnixAcceptor>> listen(const UnixEndpoint& endpoint);
  ~UnixAcceptor();
  UnixAcceptor(const UnixAcceptor&) = delete;
  UnixAcceptor& operator=(const UnixAcceptor&) = delete;

  void start(Accepted accepted, Refused refused);
  // Stops accepting, joins the thread and removes the socket file. Repeatable.
  void stop();

 private:
  UnixAcceptor(int socket_fd, int wake_fd, UnixEndpoint endpoint);
  void run();
  void admit(int fd);

  const UnixEndpoint endpoint_;
  int socket_fd_;
  int wake_fd_;  // an eventfd that ends the loop
  Accepted accepted_;
  Refused refused_;
  std::thread thread_;
};

}  // namespace plexsphere::signing
