#include "http/node_routes.hpp"

#include "http/heartbeat_request.hpp"
#include "http/views_json.hpp"
#include "plexsphere/sdk/problems.hpp"

namespace plexsphere::mesh {
namespace {

sdk::Problem heartbeat_problem(HeartbeatFault fault) {
  switch (fault) {
    case HeartbeatFault::clock_skew:
      return sdk::bad_request("clock_skew",
                              "client_now differs from the server's time by more than 60 seconds; "
                              "set the Node's clock.");
    case HeartbeatFault::no_checksum:
      return sdk::bad_request("binary_checksum_empty",
                              "binary_checksum must be the SHA-256 of the agent's binary: 32 bytes "
                              "as base64 (44 characters) or lower-case hex (64).");
    case HeartbeatFault::no_version:
      break;
  }
  return sdk::bad_request("binary_version_empty", "binary_version must not be blank.");
}

sdk::Route node_route(std::string_view method, std::string_view path, px_auth auth) {
  sdk::Route route;
  route.method = method;
  route.path = path;
  route.auth = auth;
  route.node_parameter = "id";
  return route;
}

// A Node asking for itself needs no relation; an operator needs `node-agent`.
sdk::Route read_route(std::string_view path) {
  auto route = node_route("GET", path, PX_AUTH_NODE_OR_OPERATOR);
  route.permission = "node-agent";
  route.object_type = "node";
  route.object_parameter = "id";
  return route;
}

}  // namespace

sdk::Status NodeRoutes::add(const sdk::Router& router) {
  auto heartbeat = node_route("POST", "/v1/nodes/{id}/heartbeat", PX_AUTH_NODE);
  heartbeat.body_limit = kHeartbeatBodyLimit;
  auto done =
      router.add(heartbeat, [this](const auto& request) { return post_heartbeat(request); });
  if (done.ok()) {
    done = router.add(read_route("/v1/nodes/{id}/state"),
                      [this](const auto& request) { return get_state(request); });
  }
  if (done.ok()) {
    auto reachability = read_route("/v1/nodes/{id}/reachability");
    reachability.denied_code = "insufficient_relation";
    done =
        router.add(reachability, [this](const auto& request) { return get_reachability(request); });
  }
  return done;
}

sdk::Answer NodeRoutes::post_heartbeat(const sdk::Request& request) {
  const auto report = read_heartbeat(request.body());
  if (!report.ok()) {
    return sdk::bad_request(report.error().reason, report.error().detail);
  }
  if (const auto fault = judge_heartbeat(*report, clock_.now())) {
    return heartbeat_problem(*fault);
  }
  const auto node = request.principal();
  const auto accepted = views_.accept_heartbeat(node.id, node.domain_id, node.generation, *report);
  if (accepted.ok()) {
    return sdk::Response::json(200, heartbeat_json(accepted->accepted_at, accepted->rotate_keys));
  }
  if (accepted.error().reason == "nsk_revoked") {
    return sdk::Problem{401, "nsk_revoked", "The Node's key has been revoked.", {}, {}};
  }
  // A Node that identity knows and no event told us of, or a Domain tenancy lost: our fault, and
  // never a reason for the agent to drop its key.
  log_.error("heartbeat_failed", {{"node_id", node.id.text()},
                                  {"reason", accepted.error().reason},
                                  {"detail", accepted.error().detail},
                                  {"correlation_id", std::string(request.correlation_id())}});
  return sdk::store_problem(accepted.error());
}

sdk::Answer NodeRoutes::get_state(const sdk::Request& request) {
  const auto snapshot = views_.state(request.uuid("id"));
  return snapshot.ok() ? sdk::Answer(sdk::Response::json(200, state_json(*snapshot)))
                       : refuse(snapshot.error(), request, "not_found");
}

sdk::Answer NodeRoutes::get_reachability(const sdk::Request& request) {
  const auto reachability = views_.reachability(request.uuid("id"));
  return reachability.ok() ? sdk::Answer(sdk::Response::json(200, reachability_json(*reachability)))
                           : refuse(reachability.error(), request, "node_not_found");
}

sdk::Answer NodeRoutes::refuse(const sdk::Error& error, const sdk::Request& request,
                               std::string_view not_found_code) const {
  if (error.reason == "node_not_found") {
    return sdk::not_found(std::string(not_found_code), error.detail);
  }
  log_.warn("node_read_failed", {{"path", std::string(request.path())},
                                 {"reason", error.reason},
                                 {"detail", error.detail},
                                 {"correlation_id", std::string(request.correlation_id())}});
  return sdk::store_problem(error);
}

}  // namespace plexsphere::mesh
