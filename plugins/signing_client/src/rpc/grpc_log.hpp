// gRPC's own complaints (a failed handshake, a bad certificate) as log lines of this process, which
// are structured, instead of plain text on standard error.
#pragma once

#include <functional>
#include <string_view>

namespace plexsphere::signing_client {

// Routes errors of the library to `sink` for the life of the process; the last call wins. `sink` is
// called from gRPC's threads and must stay callable until the process ends. [init]
void route_grpc_log(std::function<void(std::string_view text)> sink);

}  // namespace plexsphere::signing_client
