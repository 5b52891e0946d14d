// The first engine: Poco's blocking HTTP session classes, one thread for each busy connection.
//
// A kept connection holds its thread while it idles, unless others wait for one; then it is closed.
// That bounds how many clients it serves well, which is why Engine is an interface.
#pragma once

#include <memory>

#include "host/http/engine.hpp"

namespace plexsphere::host::http {

// `sink` must outlive the engine. [init]
std::unique_ptr<Engine> make_poco_engine(RequestSink& sink, const EngineOptions& options);

}  // namespace plexsphere::host::http
