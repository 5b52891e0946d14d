#include "http/api_token_routes.hpp"

#include "http/credential_answers.hpp"
#include "plexsphere/sdk/problems.hpp"

namespace plexsphere::identity {
namespace {

OwnerKind owner_kind(const Caller& caller) {
  return caller.actor.type == "user" ? OwnerKind::user : OwnerKind::service;
}

// The caller's own live token; one of somebody else is not found.
sdk::Result<ApiTokenRow> own_token(const sdk::Request& request, const ApiTokenService& tokens,
                                   const Caller& caller) {
  auto token = tokens.find(request.uuid("id"));
  if (token.ok() && token->owner.id != caller.actor.id) {
    return sdk::Error{sdk::Code::not_found, "not_found", "There is no such API token."};
  }
  return token;
}

sdk::Result<FreshApiToken> issue(const sdk::Request& request, const ApiTokenService& tokens) {
  const Caller caller = caller_of(request);
  auto body = decode_issue_request(request.body());
  if (!body.ok()) {
    return body.error();
  }
  if (body->owner_id != caller.actor.id || body->owner_kind != owner_kind(caller)) {
    return sdk::Error{sdk::Code::invalid_argument, "identity_ref_mismatch",
                      "\"identity_ref\" must be the caller; for others there is /v1/admin/tokens."};
  }
  auto owner = tokens.find_owner(body->owner_kind, body->owner_id);
  if (!owner.ok()) {
    return owner.error();
  }
  if (!*owner) {
    return sdk::Error{sdk::Code::unauthenticated, "unauthenticated", "The principal is gone."};
  }
  return tokens.issue({std::move(**owner), std::move(body->env_prefix), body->ttl_seconds}, caller);
}

void answer_issue(const sdk::Request& request, const ApiTokenService& tokens,
                  sdk::Responder responder) {
  send_fresh_token(responder, issue(request, tokens));
}

void answer_rotate(const sdk::Request& request, const ApiTokenService& tokens,
                   sdk::Responder responder) {
  const Caller caller = caller_of(request);
  auto token = own_token(request, tokens, caller);
  send_fresh_token(responder, token.ok() ? tokens.rotate(*token, caller)
                                         : sdk::Result<FreshApiToken>(token.error()));
}

sdk::Answer answer_revoke(const sdk::Request& request, const ApiTokenService& tokens) {
  const Caller caller = caller_of(request);
  auto token = own_token(request, tokens, caller);
  return revoked(token.ok() ? tokens.revoke(*token, caller) : sdk::Status(token.error()));
}

// A handler for who has not asked too often.
sdk::Router::AsyncHandler at_a_rate(const MintGate& minting, const ApiTokenService& tokens,
                                    void (*handle)(const sdk::Request&, const ApiTokenService&,
                                                   sdk::Responder)) {
  return [minting, &tokens, handle](const sdk::Request& request, sdk::Responder out) {
    if (auto refused = minting.refuse(request)) {
      out.send(std::move(*refused));
    } else {
      handle(request, tokens, std::move(out));
    }
  };
}

sdk::Route own(std::string_view method, std::string_view path) {
  sdk::Route route{method, path};
  route.bad_id_code = "invalid_token_id";
  return route;
}

}  // namespace

sdk::Status add_api_token_routes(const sdk::Router& router, const ApiTokenService& tokens,
                                 const MintGate& minting) {
  auto added =
      router.add_async(own("POST", "/v1/auth/tokens"), at_a_rate(minting, tokens, &answer_issue));
  if (!added.ok()) {
    return added;
  }
  added = router.add(own("GET", "/v1/auth/tokens"), [&tokens](const sdk::Request& request) {
    return token_list(tokens.list(request.principal().id));
  });
  if (!added.ok()) {
    return added;
  }
  added = router.add(own("DELETE", "/v1/auth/tokens/{id}"), [&tokens](const sdk::Request& request) {
    return answer_revoke(request, tokens);
  });
  if (!added.ok()) {
    return added;
  }
  return router.add_async(own("POST", "/v1/auth/tokens/{id}/rotate"),
                          at_a_rate(minting, tokens, &answer_rotate));
}

}  // namespace plexsphere::identity
