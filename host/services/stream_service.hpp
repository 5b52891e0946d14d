// px.stream/1: server-sent events, on the stream hub.
#pragma once

#include <memory>

#include "host/http/stream/hub.hpp"
#include "host/services/provider.hpp"

namespace plexsphere::host::services {

// Granted to plugins with the capability `routes`. The hub must outlive the provider; the engine
// must have stopped before either goes, because it still owes the hub connections.
std::unique_ptr<ServiceProvider> make_stream_service(HostContext& host, http::StreamHub& hub);

}  // namespace plexsphere::host::services
