#include "http/token_routes.hpp"

#include <memory>

#include "http/actor.hpp"
#include "http/errors.hpp"
#include "plexsphere/sdk/json.hpp"
#include "plexsphere/sdk/problems.hpp"

namespace plexsphere::identity {
namespace {

using sdk::Json;

constexpr std::string_view kCollection = "/v1/projects/{project_id}/bootstrap-tokens";
constexpr std::string_view kUsage = "/v1/admin/bootstrap-tokens/{id}";
constexpr std::string_view kItem = "/v1/projects/{project_id}/bootstrap-tokens/{id}";

sdk::Route project_route(std::string_view method, std::string_view path,
                         std::string_view permission) {
  sdk::Route route{method, path};
  route.permission = permission;
  route.object_type = "project";
  route.object_parameter = "project_id";
  return route;
}

Json metadata(const TokenRecord& token) {
  Json out{{"id", token.id.text()},
           {"project_id", token.project_id.text()},
           {"kind", text_of(token.kind)},
           {"env_prefix", token.env_prefix},
           {"issued_at", sdk::rfc3339(token.issued_at)},
           {"expires_at", sdk::rfc3339(token.expires_at)},
           {"issued_by_user_id", token.issued_by.text()}};
  if (token.consumed_at) {
    out["consumed_at"] = sdk::rfc3339(*token.consumed_at);
  }
  if (token.revoked_at) {
    out["revoked_at"] = sdk::rfc3339(*token.revoked_at);
  }
  return out;
}

sdk::Result<IssueCommand> decode_issue(std::string_view body) {
  auto json = sdk::parse_json(body);
  if (!json.ok()) {
    return json.error();
  }
  sdk::BodyReader reader(*json);
  IssueCommand out;
  const auto kind = token_kind(reader.text("kind", 1, 16));
  out.env_prefix = reader.text("env_prefix", 1, kMaxEnvLength);
  out.ttl_seconds = reader.integer("ttl_seconds", kMinTtlSeconds, kMaxTtlSeconds);
  if (!kind) {
    reader.fail("\"kind\" must be node or bridge");
  }
  if (!valid_env_prefix(out.env_prefix)) {
    reader.fail("\"env_prefix\" must be 1 to 32 letters a to z");
  }
  if (const auto fault = reader.fault()) {
    return sdk::Error{sdk::Code::invalid_argument, "invalid_body",
                      "The body is refused: " + *fault + "."};
  }
  out.kind = *kind;
  return out;
}

// The plaintext is spliced into the finished text, so that the JSON library keeps no copy of it.
void answer_issued(sdk::Responder& responder, const sdk::Result<IssuedToken>& outcome) {
  if (!outcome.ok()) {
    responder.send(problem_of(outcome.error()));
    return;
  }
  const TokenRecord& token = outcome.value().token;
  const std::string rest = Json{{"token_id", token.id.text()},
                                {"issued_at", sdk::rfc3339(token.issued_at)},
                                {"expires_at", sdk::rfc3339(token.expires_at)}}
                               .dump();
  const std::string_view plaintext = outcome.value().plaintext.view();
  std::string body;
  body.reserve(rest.size() + plaintext.size() + 16);
  body.append(rest, 0, rest.size() - 1).append(",\"token\":\"").append(plaintext).append("\"}");
  sdk::Answer out = sdk::Response{201,
                                  std::move(body),
                                  "application/json",
                                  {{"Location", "/v1/projects/" + token.project_id.text() +
                                                    "/bootstrap-tokens/" + token.id.text()},
                                   {"Cache-Control", "no-store"}}};
  responder.send(out);
  sdk::zero(std::get<sdk::Response>(out).body);
}

sdk::Status add_issue(const sdk::Router& router, const TokenService& tokens) {
  return router.add_async(
      project_route("POST", kCollection, "manage"),
      [&tokens](const sdk::Request& request, sdk::Responder responder) {
        auto command = decode_issue(request.body());
        if (!command.ok()) {
          responder.send(sdk::bad_request("invalid_body", command.error().detail));
          return;
        }
        command->project_id = request.uuid("project_id");
        command->actor = actor_of(request);
        command->call = CallContext::of(request);
        // Owned by the completion alone; shared because std::function must be copyable.
        auto kept = std::make_shared<sdk::Responder>(std::move(responder));
        tokens.issue(std::move(*command),
                     [kept](sdk::Result<IssuedToken> outcome) { answer_issued(*kept, outcome); });
      });
}

// The stored page, filtered row by row: it may be short or empty while there are more.
sdk::Answer list_page(const sdk::Request& request, const TokenService& tokens,
                      const sdk::CursorCodec& cursors, const sdk::Authz& authz) {
  const sdk::Uuid project_id = request.uuid("project_id");
  const std::string list = "bootstrap-tokens/" + project_id.text();
  const auto limit = sdk::parse_limit(request.query("limit"));
  if (!limit.ok()) {
    return sdk::paging_problem(limit.error());
  }
  auto after = page_start(request, cursors, {list});
  if (!after.ok()) {
    return sdk::paging_problem(after.error());
  }
  auto page = tokens.list(project_id, *after, *limit);
  if (!page.ok()) {
    return problem_of(page.error());
  }
  std::vector<std::string> ids;
  for (const TokenRecord& token : *page) {
    ids.push_back(token.id.text());
  }
  auto allowed = authz.filter(actor_of(request).reference(), "read", "bootstrap_token", ids);
  if (!allowed.ok()) {
    return sdk::authz_unavailable();
  }
  Json items = Json::array();
  for (std::size_t i = 0; i < page->size(); ++i) {
    if ((*allowed)[i]) {
      items.push_back(metadata((*page)[i]));
    }
  }
  Json body{{"items", std::move(items)}};
  if (static_cast<int64_t>(page->size()) == *limit) {
    body["next_cursor"] = cursors.encode({list}, page->back().id.bytes());
  }
  return sdk::Response::json(200, body.dump());
}

sdk::Answer get_one(const sdk::Request& request, const TokenService& tokens) {
  auto token = tokens.get(request.uuid("project_id"), request.uuid("id"));
  return token.ok() ? sdk::Answer(sdk::Response::json(200, metadata(*token).dump()))
                    : sdk::Answer(problem_of(token.error()));
}

sdk::Answer show_usage(const sdk::Request& request, const TokenService& tokens) {
  const auto found = tokens.usage(request.uuid("id"));
  if (!found.ok()) {
    return problem_of(found.error());
  }
  const TokenUsage& usage = found.value();
  Json body = metadata(usage.purchase.token);
  body["state"] = usage.state;
  if (!usage.purchase.node_id.is_zero()) {
    body["consumed_by_node_id"] = usage.purchase.node_id.text();
  }
  return sdk::Response::json(200, body.dump());
}

// Which Node a token bought, whatever its Project: the id is all that an incident leaves behind.
sdk::Status add_usage(const sdk::Router& router, const TokenService& tokens) {
  sdk::Route route{"GET", kUsage};
  route.permission = "read";
  route.object_type = "bootstrap_token";
  route.object_parameter = "id";
  route.denied_as = 404;
  route.not_found_code = "not_found";
  route.bad_id_code = "invalid_token_id";
  return router.add(route,
                    [&tokens](const sdk::Request& request) { return show_usage(request, tokens); });
}

sdk::Answer revoke_one(const sdk::Request& request, const TokenService& tokens) {
  auto revoked = tokens.revoke(request.uuid("project_id"), request.uuid("id"), actor_of(request),
                               CallContext::of(request));
  if (revoked.ok()) {
    return sdk::Response::empty(204);
  }
  return revoked.error().code == sdk::Code::failed_precondition
             ? sdk::conflict(revoked.error().reason, revoked.error().detail)
             : problem_of(revoked.error());
}

}  // namespace

sdk::Status add_token_routes(const sdk::Router& router, const TokenService& tokens,
                             const sdk::CursorCodec& cursors, const sdk::Authz& authz) {
  if (auto added = add_issue(router, tokens); !added.ok()) {
    return added;
  }
  auto listed = router.add(project_route("GET", kCollection, "read"),
                           [&tokens, &cursors, authz](const sdk::Request& request) {
                             return list_page(request, tokens, cursors, authz);
                           });
  if (!listed.ok()) {
    return listed;
  }
  auto got =
      router.add(project_route("GET", kItem, "read"),
                 [&tokens](const sdk::Request& request) { return get_one(request, tokens); });
  if (!got.ok()) {
    return got;
  }
  if (auto added = add_usage(router, tokens); !added.ok()) {
    return added;
  }
  return router.add(project_route("DELETE", kItem, "manage"),
                    [&tokens](const sdk::Request& request) { return revoke_one(request, tokens); });
}

}  // namespace plexsphere::identity
