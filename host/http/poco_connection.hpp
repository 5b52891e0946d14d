// One connection of the Poco engine. Internal to host/http.
#pragma once

#include <Poco/Net/HTTPServerParams.h>
#include <Poco/Net/StreamSocket.h>

#include <atomic>
#include <functional>

#include "host/http/engine.hpp"

namespace plexsphere::host::http::detail {

// What a connection needs of its engine. Outlives every connection.
struct ConnectionHost {
  ConnectionHost(RequestSink& s, const EngineOptions& o) : sink(s), options(o) {}

  RequestSink& sink;
  EngineOptions options;
  Poco::Net::HTTPServerParams::Ptr params;
  std::atomic<bool> discourage{false};  // answer with Connection: close
  std::atomic<bool> stopping{false};    // no further request on any connection
  std::atomic<std::size_t> in_flight{0};
  std::function<bool()> others_wait;  // a kept but idle connection should make room
};

// Serves the requests of one connection until either side closes it. Never throws.
void serve_connection(ConnectionHost& host, Poco::Net::StreamSocket socket) noexcept;

}  // namespace plexsphere::host::http::detail
