// Listening sockets of the servers that a benchmark compares with.
#pragma once

#include <cstdint>

namespace plexsphere::bench {

// A listening socket on a free port of 127.0.0.1; the caller closes it. Throws std::system_error.
int listen_on_loopback();
// Its port.
std::uint16_t port_of(int listener);
// A port that is free now. Somebody else may take it before it is used.
std::uint16_t free_port();

}  // namespace plexsphere::bench
