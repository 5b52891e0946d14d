// Turns the bytes of a connection into whole requests. No I/O of its own.
//
// Thread safety: none, the loop's thread only. Ownership: nothing but the count of buffered bytes.
#pragma once

#include <optional>
#include <string_view>
#include <variant>

#include "host/http/engine.hpp"
#include "host/http/engine/call.hpp"
#include "host/http/engine/connection.hpp"

namespace plexsphere::host::http::engine {

class Intake {
 public:
  Intake(RequestSink& sink, const EngineOptions& options) : sink_(sink), options_(options) {}

  struct Whole {
    Received request;
    Lane lane = Lane::kBlocking;
  };
  struct More {
    bool send_continue = false;  // the client waits for a 100 before it sends the body
  };
  using Outcome = std::variant<More, Whole, wire::Fault>;

  // Takes from the front of `bytes`, all that the connection has received and not used; `used` is
  // how much. With More everything that can be used was. A fault ends the connection.
  Outcome take(Connection& connection, std::string_view bytes, std::size_t& used);

 private:
  Outcome begin(Connection& connection, std::string_view bytes, std::size_t& used);
  Outcome go_on(Connection& connection, std::string_view bytes, std::size_t& used);
  Outcome finish(Connection& connection);
  void take_sized(PartialBody& partial, std::string_view bytes, std::size_t& used) const;

  RequestSink& sink_;
  const EngineOptions& options_;
};

}  // namespace plexsphere::host::http::engine
