// Turns the bytes of a connection into whole requests. No I/O of its own.
//
// Thread safety: none, the loop's thread only. Ownership: shares the budget with its bodies.
#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <variant>

#include "host/http/engine.hpp"
#include "host/http/engine/call.hpp"
#include "host/http/engine/connection.hpp"

namespace plexsphere::host::http::engine {

class Intake {
 public:
  Intake(RequestSink& sink, const EngineOptions& options)
      : sink_(sink),
        options_(options),
        budget_(std::make_shared<BufferBudget>(options.max_buffered_bytes)) {}

  struct Whole {
    Received request;
    Lane lane = Lane::kBlocking;
  };
  struct More {
    bool send_continue = false;  // the client waits for a 100 before it sends the body
  };
  struct NoRoom {};  // for the bytes of this body: max_buffered_bytes
  using Outcome = std::variant<More, Whole, wire::Fault, NoRoom>;

  // Takes from the front of `bytes`, all that the connection has received and not used; `used` is
  // how much. With More everything that can be used was. A fault and NoRoom end the connection.
  Outcome take(Connection& connection, std::string_view bytes, std::size_t& used);
  // Of all bodies. Any thread.
  std::size_t buffered_bytes() const noexcept { return budget_->used(); }

 private:
  Outcome begin(Connection& connection, std::string_view bytes, std::size_t& used);
  Outcome go_on(Connection& connection, std::string_view bytes, std::size_t& used);
  Outcome finish(Connection& connection);
  void take_sized(PartialBody& partial, std::string_view bytes, std::size_t& used) const;

  RequestSink& sink_;
  const EngineOptions& options_;
  const std::shared_ptr<BufferBudget> budget_;  // with every body under way
};

}  // namespace plexsphere::host::http::engine
