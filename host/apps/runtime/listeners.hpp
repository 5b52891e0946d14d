// Where the process takes connections: on inherited sockets, or else on the configured addresses.
#pragma once

#include <string>
#include <vector>

#include "host/apps/runtime/socket_activation.hpp"
#include "host/http/engine.hpp"
#include "host/telemetry/log.hpp"

namespace plexsphere::host::apps {

// Opens `addresses`, or serves `sockets` instead where there are any. Logs every address. Errors
// as Engine::listen and adopt. [init]
Status open_listeners(http::Engine& engine, const std::vector<InheritedSocket>& sockets,
                      const std::vector<std::string>& addresses, telemetry::Logger& log);

}  // namespace plexsphere::host::apps
