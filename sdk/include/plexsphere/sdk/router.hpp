// HTTP routes. A handler either returns its Answer (add), or keeps the Responder and completes it
// later from any thread (add_async).
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "plexsphere/abi/router.h"
#include "plexsphere/sdk/kept.hpp"
#include "plexsphere/sdk/status.hpp"
#include "plexsphere/sdk/time.hpp"
#include "plexsphere/sdk/uuid.hpp"

namespace plexsphere::sdk::inline v1 {

using Headers = std::vector<std::pair<std::string, std::string>>;

// An RFC 9457 answer; the host adds type, title, instance and correlation_id.
struct Problem {
  int status = 500;
  std::string code;
  std::string detail;
  std::string members;  // further members as one JSON object, or empty
  Headers headers;
};

struct Response {
  int status = 200;
  std::string body;
  std::string content_type = "application/json";
  Headers headers;

  static Response json(int status, std::string body) {
    return {status, std::move(body), "application/json", {}};
  }
  static Response empty(int status) { return {status, {}, {}, {}}; }
};

using Answer = std::variant<Response, Problem>;

struct Principal {
  px_principal_kind kind = PX_PRINCIPAL_ANONYMOUS;
  Uuid id;
  Uuid domain_id;  // zero: platform scope
  Uuid credential_id;
  int64_t generation = 0;

  explicit Principal(const px_principal& p)
      : kind(p.kind),
        id(p.id),
        domain_id(p.domain_id),
        credential_id(p.credential_id),
        generation(p.generation) {}

  bool is_node() const { return kind == PX_PRINCIPAL_NODE; }
  // "user", "service-identity" or "node": the reference type in tuples and audit rows.
  std::string_view reference_type() const {
    switch (kind) {
      case PX_PRINCIPAL_USER:
        return "user";
      case PX_PRINCIPAL_SERVICE:
        return "service-identity";
      case PX_PRINCIPAL_NODE:
        return "node";
      default:
        return "anonymous";
    }
  }
};

// Views of the host's memory: valid until the request's responder is completed. Copy it (it is one
// pointer) when a handler answers later.
class Request {
 public:
  explicit Request(const px_request* wire) : wire_(wire) {}

  std::string_view method() const { return view(wire_->method); }
  std::string_view path() const { return view(wire_->path); }
  std::string_view correlation_id() const { return view(wire_->correlation_id); }
  std::string_view remote_ip() const { return view(wire_->remote_ip); }
  std::string_view body() const { return view(wire_->body); }
  Principal principal() const { return Principal(*wire_->principal); }
  std::string_view user_agent() const { return header("user-agent").value_or(""); }

  // Empty when the route has no such parameter.
  std::string_view parameter(std::string_view name) const {
    return find(wire_->path_parameters, wire_->path_parameter_count, name).value_or("");
  }
  // A path parameter the host has checked to be a non-zero UUID (its name ends in "id").
  Uuid uuid(std::string_view name) const { return Uuid::parse(parameter(name)).value_or(Uuid{}); }
  std::optional<std::string_view> query(std::string_view name) const {
    return find(wire_->query, wire_->query_count, name);
  }
  std::optional<std::string_view> header(std::string_view lower_case_name) const {
    return find(wire_->headers, wire_->header_count, lower_case_name);
  }

  const px_request* wire() const { return wire_; }

 private:
  static std::optional<std::string_view> find(const px_pair* pairs, uint64_t count,
                                              std::string_view name) {
    for (uint64_t i = 0; i < count; ++i) {
      if (view(pairs[i].name) == name) {
        return view(pairs[i].value);
      }
    }
    return std::nullopt;
  }

  const px_request* wire_;
};

// Completes one request. Move-only; one that is dropped unanswered answers 500. A responder that
// has answered, or was moved from, is empty.
class Responder {
 public:
  explicit Responder(const px_responder* wire) : wire_(wire) {}
  Responder(Responder&& other) noexcept : wire_(std::exchange(other.wire_, nullptr)) {}
  Responder& operator=(Responder&& other) noexcept {
    std::swap(wire_, other.wire_);
    return *this;
  }
  ~Responder() {
    if (wire_ != nullptr) {
      send(Problem{500, "internal", "The handler gave no answer.", {}, {}});
    }
  }

  void send(const Answer& answer) {
    const px_responder* wire = std::exchange(wire_, nullptr);
    if (wire == nullptr) {
      return;
    }
    if (const auto* response = std::get_if<Response>(&answer)) {
      const auto headers = pairs(response->headers);
      const px_response out{
          sizeof(px_response),
          response->status,
          to_wire(response->body.empty() ? std::string_view{}
                                         : std::string_view(response->content_type)),
          to_wire_bytes(response->body),
          headers.data(),
          headers.size()};
      wire->respond(wire->self, &out);
      return;
    }
    const auto& problem = std::get<Problem>(answer);
    const auto headers = pairs(problem.headers);
    const px_problem out{sizeof(px_problem),      problem.status,           to_wire(problem.code),
                         to_wire(problem.detail), to_wire(problem.members), headers.data(),
                         headers.size()};
    wire->fail(wire->self, &out);
  }

  // For services that complete the request themselves, as Streams does: the wire, null when empty,
  // and the word that it has been completed.
  const px_responder* wire() const { return wire_; }
  void completed() { wire_ = nullptr; }

 private:
  static std::vector<px_pair> pairs(const Headers& headers) {
    std::vector<px_pair> out;
    out.reserve(headers.size());
    for (const auto& [name, value] : headers) {
      out.push_back({to_wire(name), to_wire(value)});
    }
    return out;
  }

  const px_responder* wire_;
};

// See px_route for what each member means. Views only have to live for the call to add.
struct Route {
  std::string_view method;
  std::string_view path;
  px_auth auth = PX_AUTH_OPERATOR;
  std::string_view permission = {};
  std::string_view object_type = {};
  std::string_view object_parameter = {};
  std::string_view node_parameter = {};
  int denied_as = 403;
  std::string_view not_found_code = {};
  std::string_view bad_id_code = {};
  std::string_view too_large_code = {};
  uint64_t body_limit = 0;
  uint32_t flags = 0;
  uint64_t decoded_limit = 0;
  std::string_view denied_code = {};
};

class Router {
 public:
  static constexpr std::string_view kName = "px.router/1";
  using Wire = px_router;
  using Handler = std::function<Answer(const Request&)>;
  using AsyncHandler = std::function<void(const Request&, Responder)>;
  Router() = default;
  explicit Router(const px_router* table) : table_(table) {}

  // [init] A handler that answers before it returns; an exception becomes a 500.
  Status add(const Route& route, Handler handler) const {
    return add_async(route, [handler = std::move(handler)](const Request& request, Responder out) {
      out.send(handler(request));
    });
  }

  // [init] The handler lives until the process ends.
  Status add_async(const Route& route, AsyncHandler handler) const {
    auto* kept = detail::keep(std::move(handler));
    const px_route wire{sizeof(px_route),
                        route.flags,
                        to_wire(route.method),
                        to_wire(route.path),
                        route.auth,
                        route.denied_as,
                        to_wire(route.node_parameter),
                        to_wire(route.permission),
                        to_wire(route.object_type),
                        to_wire(route.object_parameter),
                        to_wire(route.not_found_code),
                        to_wire(route.bad_id_code),
                        to_wire(route.too_large_code),
                        route.body_limit,
                        kept,
                        [](void* ctx, const px_request* request, const px_responder* out) noexcept {
                          Responder responder(out);
                          try {
                            (*static_cast<AsyncHandler*>(ctx))(Request(request),
                                                               std::move(responder));
                          } catch (...) {
                            // An unanswered responder answers 500 by its destructor.
                          }
                        },
                        route.decoded_limit,
                        to_wire(route.denied_code)};
    ErrorSink sink;
    return std::move(sink).outcome(table_->add(table_->base.self, &wire, sink.wire()));
  }

 private:
  const px_router* table_ = nullptr;
};

}  // namespace plexsphere::sdk::inline v1
