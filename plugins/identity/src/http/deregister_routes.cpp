#include "http/deregister_routes.hpp"

#include "http/actor.hpp"
#include "http/errors.hpp"
#include "plexsphere/sdk/json.hpp"
#include "plexsphere/sdk/problems.hpp"

namespace plexsphere::identity {
namespace {

constexpr std::uint64_t kBodyLimit = 4096;

sdk::Problem body_refused() {
  return sdk::bad_request("malformed_deregister_request",
                          "Deregistration takes no body, or an empty object.");
}

sdk::Answer answer(const sdk::Status& outcome) {
  return outcome.ok() ? sdk::Answer(sdk::Response::json(200, "{}"))
                      : sdk::Answer(problem_of(outcome.error()));
}

sdk::Answer by_node(const sdk::Request& request, const Deregistration& deregistration) {
  if (!empty_body(request.body())) {
    return body_refused();
  }
  return answer(deregistration.by_node(actor_of(request), request.principal().generation,
                                       CallContext::of(request)));
}

sdk::Answer by_operator(const sdk::Request& request, const Deregistration& deregistration) {
  if (!empty_body(request.body())) {
    return body_refused();
  }
  return answer(
      deregistration.by_operator(request.uuid("id"), actor_of(request), CallContext::of(request)));
}

}  // namespace

bool empty_body(std::string_view body) {
  if (body.find_first_not_of(" \t\r\n") == std::string_view::npos) {
    return true;
  }
  const auto json = sdk::parse_json(body);
  return json.ok() && json.value().is_object() && json.value().empty();
}

sdk::Status add_deregister_routes(const sdk::Router& router, const Deregistration& deregistration) {
  sdk::Route own{"POST", "/v1/nodes/{id}/deregister", PX_AUTH_NODE};
  own.node_parameter = "id";
  own.bad_id_code = "invalid_node_id";
  own.body_limit = kBodyLimit;
  auto added = router.add(own, [&deregistration](const sdk::Request& request) {
    return by_node(request, deregistration);
  });
  if (!added.ok()) {
    return added;
  }
  sdk::Route admin{"POST", "/v1/admin/nodes/{id}/deregister"};
  admin.permission = "node-operate";
  admin.object_type = "node";
  admin.object_parameter = "id";
  admin.bad_id_code = "invalid_node_id";
  admin.body_limit = kBodyLimit;
  return router.add(admin, [&deregistration](const sdk::Request& request) {
    return by_operator(request, deregistration);
  });
}

}  // namespace plexsphere::identity
