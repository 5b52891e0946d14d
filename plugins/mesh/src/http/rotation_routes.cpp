#include "http/rotation_routes.hpp"

#include "http/rotation_json.hpp"
#include "http/rotation_request.hpp"

namespace plexsphere::mesh {
namespace {

// Raw bytes the host takes in before it asks who is calling: the contract answers 401 before 413,
// so what is above the limit but below this is still authenticated.
constexpr std::uint64_t kRawLimit = 64 * 1024;

// The relation is checked before existence.
sdk::Route operator_route(std::string_view method, std::string_view path) {
  sdk::Route route;
  route.method = method;
  route.path = path;
  route.auth = PX_AUTH_OPERATOR;
  route.permission = "node-operate";
  route.object_type = "node";
  route.object_parameter = "id";
  route.not_found_code = "node_not_found";
  return route;
}

sdk::Route completion_route() {
  sdk::Route route;
  route.method = "POST";
  route.path = "/v1/keys/rotate";
  route.auth = PX_AUTH_NODE;
  route.body_limit = kRawLimit;
  route.decoded_limit = kKeysRotateBodyLimit;
  route.too_large_code = "keys_rotate_body_too_large";
  return route;
}

sdk::AuditEntry caller_of(const sdk::Request& request) {
  return sdk::AuditEntry::of(request, {}, {}, {});
}

}  // namespace

std::optional<sdk::Problem> completion_refusal(const sdk::Error& error) {
  if (error.reason == "nsk_revoked") {
    return sdk::Problem{401, "nsk_revoked", "The Node's key has been revoked.", {}, {}};
  }
  if (error.reason == "node_not_found") {
    return sdk::not_found("keys_rotate_peer_not_found", "The Node is not a live peer.");
  }
  if (error.reason == "no_pending_rotation") {
    return sdk::conflict("keys_rotate_no_pending_rotation", error.detail);
  }
  if (error.reason == "public_key_unchanged") {
    return sdk::Problem{422, "keys_rotate_public_key_unchanged", error.detail, {}, {}};
  }
  return std::nullopt;
}

sdk::Status RotationRoutes::add(const sdk::Router& router) {
  auto done = router.add(operator_route("POST", "/v1/nodes/{id}/keys/rotate"),
                         [this](const auto& request) { return post_rotation(request); });
  if (done.ok()) {
    done = router.add(operator_route("GET", "/v1/nodes/{id}/keys/rotate/preview"),
                      [this](const auto& request) { return get_preview(request); });
  }
  if (done.ok()) {
    done = router.add(completion_route(),
                      [this](const auto& request) { return post_new_key(request); });
  }
  return done;
}

sdk::Answer RotationRoutes::post_rotation(const sdk::Request& request) {
  const auto requested = rotations_.request(request.uuid("id"), caller_of(request));
  return requested.ok() ? sdk::Answer(sdk::Response::json(200, rotation_json(*requested)))
                        : failed(requested.error(), request);
}

sdk::Answer RotationRoutes::get_preview(const sdk::Request& request) {
  const auto preview = rotations_.preview(request.uuid("id"));
  return preview.ok() ? sdk::Answer(sdk::Response::json(200, preview_json(*preview)))
                      : failed(preview.error(), request);
}

sdk::Answer RotationRoutes::post_new_key(const sdk::Request& request) {
  const auto key = read_new_key(request.body());
  if (!key.ok()) {
    const bool malformed = key.error().reason == "malformed_keys_rotate_request";
    return sdk::Problem{malformed ? 400 : 422, key.error().reason, key.error().detail, {}, {}};
  }
  const auto receipt = rotations_.complete(request.principal(), *key, caller_of(request));
  if (receipt.ok()) {
    return sdk::Response::json(200, receipt_json(*receipt));
  }
  const auto refused = completion_refusal(receipt.error());
  return refused ? sdk::Answer(*refused) : failed(receipt.error(), request);
}

sdk::Answer RotationRoutes::failed(const sdk::Error& error, const sdk::Request& request) const {
  if (error.reason == "node_not_found") {
    return sdk::not_found("node_not_found", error.detail);
  }
  log_.warn("key_rotation_failed", {{"path", std::string(request.path())},
                                    {"reason", error.reason},
                                    {"detail", error.detail},
                                    {"correlation_id", std::string(request.correlation_id())}});
  return sdk::store_problem(error);
}

}  // namespace plexsphere::mesh
