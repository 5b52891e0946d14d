// The engine: one event loop, two lanes of workers.
#pragma once

#include <memory>

#include "host/http/engine.hpp"

namespace plexsphere::host::http {

// `sink` must outlive the engine. [init]
std::unique_ptr<Engine> make_epoll_engine(RequestSink& sink, const EngineOptions& options);

}  // namespace plexsphere::host::http
