#include "http/register_route.hpp"

#include <memory>

#include "http/errors.hpp"
#include "plexsphere/sdk/encoding.hpp"
#include "plexsphere/sdk/failpoint.hpp"
#include "plexsphere/sdk/json.hpp"
#include "plexsphere/sdk/problems.hpp"

namespace plexsphere::identity {
namespace {

using sdk::Json;

constexpr std::size_t kMaxField = 4096;     // characters
constexpr std::uint64_t kBodyLimit = 8192;  // bytes

Json peers_json(const std::vector<sdk::Peer>& peers) {
  Json out = Json::array();
  for (const sdk::Peer& peer : peers) {
    Json item{{"node_id", peer.node_id.text()},
              {"mesh_ip", peer.mesh_ip},
              {"public_key", peer.public_key}};
    if (!peer.fallback_endpoint.empty()) {
      item["fallback_endpoint"] = peer.fallback_endpoint;
    }
    out.push_back(std::move(item));
  }
  return out;
}

// The secret key is spliced into the finished text, so that the JSON library keeps no copy of it.
sdk::Response answer_of(const Registered& node) {
  const std::string rest = Json{
      {"node_id", node.node_id.text()},
      {"mesh_ip", node.mesh_ip},
      {"signing_public_key", sdk::base64_encode(node.signing_key.key)},
      {"signing_key_id", node.signing_key.key_id},
      {"peer_snapshot", peers_json(node.peers)},
      {"domain_mesh_cidr",
       node.mesh_cidr}}.dump();
  std::string nsk = sdk::base64_encode(node.nsk.view());
  std::string body;
  body.reserve(rest.size() + nsk.size() + 16);
  body.append(rest, 0, rest.size() - 1).append(",\"nsk\":\"").append(nsk).append("\"}");
  sdk::zero(nsk);
  return {201, std::move(body), "application/json", {{"Cache-Control", "no-store"}}};
}

void answer(sdk::Responder& responder, const sdk::Result<Registered>& outcome) {
  if (!outcome.ok()) {
    responder.send(problem_of(outcome.error()));
    return;
  }
  sdk::Answer out = answer_of(outcome.value());
  PLEXSPHERE_FAILPOINT("answer.before");
  responder.send(out);  // writes to the connection before it returns
  PLEXSPHERE_FAILPOINT("answer.after");
  sdk::zero(std::get<sdk::Response>(out).body);
}

// The parsed copy of the token must not stay behind.
void forget_token(Json& json) {
  if (json.is_object() && json.contains("bootstrap_token") && json["bootstrap_token"].is_string()) {
    sdk::zero(json["bootstrap_token"].get_ref<std::string&>());
  }
}

}  // namespace

detail::Decoded detail::decode_register(std::string_view body) {
  auto json = sdk::parse_json(body);
  if (!json.ok()) {
    return {{}, sdk::bad_request("invalid_body", json.error().detail)};
  }
  if (!json->is_object()) {
    return {{}, sdk::bad_request("invalid_body", "The body must be a JSON object.")};
  }
  sdk::BodyReader reader(*json);
  Decoded out;
  out.command.project_id = reader.uuid("project_id");
  out.command.resource_handle = reader.text("resource_handle", 1, kMaxField);
  out.command.bootstrap_token = SecretText(reader.text("bootstrap_token", 1, kMaxField));
  out.command.nonce = reader.text("nonce", 1, kMaxField);
  out.command.public_key = reader.text("public_key", 0, kMaxField);
  out.command.requested_resource_id =
      reader.optional_text("requested_resource_id", 0, kMaxField).value_or("");
  if (const auto& fault = reader.fault_ignoring_unknown()) {
    out.refused =
        sdk::Problem{422, "invariant_violation", "The body is refused: " + *fault + ".", {}, {}};
  }
  forget_token(*json);
  return out;
}

sdk::Status add_register_route(const sdk::Router& router, const Registration& registration) {
  sdk::Route route{"POST", "/v1/register"};
  route.auth = PX_AUTH_NONE;
  route.body_limit = kBodyLimit;
  return router.add_async(
      route, [&registration](const sdk::Request& request, sdk::Responder responder) {
        auto decoded = detail::decode_register(request.body());
        if (decoded.refused) {
          responder.send(*decoded.refused);
          return;
        }
        decoded.command.call = CallContext::of(request);
        // Owned by the completion alone; shared because std::function must be copyable.
        auto kept = std::make_shared<sdk::Responder>(std::move(responder));
        registration.submit(std::move(decoded.command),
                            [kept](sdk::Result<Registered> outcome) { answer(*kept, outcome); });
      });
}

}  // namespace plexsphere::identity
