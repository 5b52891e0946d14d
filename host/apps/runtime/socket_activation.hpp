// Listening sockets handed over by a supervisor: the protocol of sd_listen_fds(3).
//
// The supervisor holds the socket while the process is replaced, so that clients wait in its
// backlog instead of being refused.
//
// Thread safety: call once, before any other thread exists (it changes the environment).
// Ownership: the caller owns the descriptors.
#pragma once

#include <string>
#include <vector>

#include "host/base/result.hpp"

namespace plexsphere::host::apps {

struct InheritedSocket {
  int descriptor = -1;
  std::string name;  // FileDescriptorName= of the unit; may be empty

  bool tls() const { return name.starts_with("tls"); }
};

// The sockets that LISTEN_FDS, LISTEN_PID and LISTEN_FDNAMES give to this process, in their order;
// none when the variables are absent or meant for another process. Unsets the variables and keeps
// the descriptors from programs started later. Errors name the descriptor and the remedy: variables
// that make no sense, or a descriptor that is no listening stream socket.
Result<std::vector<InheritedSocket>> take_inherited_sockets();

}  // namespace plexsphere::host::apps
