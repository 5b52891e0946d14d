#include "http/admin_token_routes.hpp"

#include <memory>

#include "http/credential_answers.hpp"
#include "plexsphere/sdk/problems.hpp"

namespace plexsphere::identity {
namespace {

struct Admin {
  const ApiTokenService& tokens;
  RelationGate& gate;
  MintGate minting;
};

// Runs `act` once the gate has let the caller through; answers for the gate otherwise.
void when_granted(const Admin& admin, const Caller& caller, const sdk::Uuid& domain_id,
                  sdk::Responder responder, std::function<void(sdk::Responder&)> act) {
  // Owned by the completion alone; shared because std::function must be copyable.
  auto kept = std::make_shared<sdk::Responder>(std::move(responder));
  admin.gate.pass(caller.actor, caller.call, "manage", domain_or_platform(domain_id),
                  [kept, act = std::move(act)](const GateResult& result) {
                    if (!result.ok()) {
                      kept->send(credential_problem(result.error()));
                    } else if (*result != PX_REASON_GRANTED) {
                      kept->send(sdk::permission_denied(*result));
                    } else {
                      act(*kept);
                    }
                  });
}

sdk::Problem no_such_identity() {
  return sdk::bad_request("identity_not_found", "\"identity_ref\" names nobody.");
}

void issue(const Admin& admin, const sdk::Request& request, sdk::Responder responder) {
  if (auto refused = admin.minting.refuse(request)) {
    responder.send(std::move(*refused));
    return;
  }
  const Caller caller = caller_of(request);
  auto body = decode_issue_request(request.body());
  if (!body.ok()) {
    responder.send(sdk::bad_request("invalid_body", body.error().detail));
    return;
  }
  auto owner = admin.tokens.find_owner(body->owner_kind, body->owner_id);
  if (!owner.ok()) {
    responder.send(credential_problem(owner.error()));
    return;
  }
  const sdk::Uuid domain_id = *owner ? (*owner)->domain_id : sdk::Uuid{};
  when_granted(
      admin, caller, domain_id, std::move(responder),
      [&tokens = admin.tokens, caller, owner = std::move(*owner),
       body = std::move(*body)](sdk::Responder& out) {
        if (!owner) {
          out.send(no_such_identity());
          return;
        }
        send_fresh_token(out, tokens.issue({*owner, body.env_prefix, body.ttl_seconds}, caller));
      });
}

void list(const Admin& admin, const sdk::Request& request, sdk::Responder responder) {
  const auto ref = decode_identity_ref(request.query("identity_ref").value_or(""));
  if (!ref) {
    responder.send(sdk::bad_request("invalid_identity_ref",
                                    "\"identity_ref\" must be user:<uuid> or service:<uuid>."));
    return;
  }
  auto owner = admin.tokens.find_owner(ref->first, ref->second);
  if (!owner.ok()) {
    responder.send(credential_problem(owner.error()));
    return;
  }
  const sdk::Uuid domain_id = *owner ? (*owner)->domain_id : sdk::Uuid{};
  when_granted(
      admin, caller_of(request), domain_id, std::move(responder),
      [&tokens = admin.tokens, owner = std::move(*owner)](sdk::Responder& out) {
        out.send(owner ? token_list(tokens.list(owner->id)) : sdk::Answer(no_such_identity()));
      });
}

// Reads the token of the path, passes the gate of its owner's Domain, and then does `act` with what
// it read: the token, or that there is none.
void with_token(const Admin& admin, const sdk::Request& request, sdk::Responder responder,
                std::function<void(sdk::Responder&, const sdk::Result<ApiTokenRow>&)> act) {
  auto token = admin.tokens.find(request.uuid("id"));
  if (!token.ok() && token.error().code != sdk::Code::not_found) {
    responder.send(credential_problem(token.error()));
    return;
  }
  const sdk::Uuid domain_id = token.ok() ? token->owner.domain_id : sdk::Uuid{};
  when_granted(
      admin, caller_of(request), domain_id, std::move(responder),
      [act = std::move(act), token = std::move(token)](sdk::Responder& out) { act(out, token); });
}

void revoke(const Admin& admin, const sdk::Request& request, sdk::Responder responder) {
  with_token(admin, request, std::move(responder),
             [&tokens = admin.tokens, caller = caller_of(request)](
                 sdk::Responder& out, const sdk::Result<ApiTokenRow>& token) {
               out.send(revoked(token.ok() ? tokens.revoke(token.value(), caller)
                                           : sdk::Status(token.error())));
             });
}

void rotate(const Admin& admin, const sdk::Request& request, sdk::Responder responder) {
  if (auto refused = admin.minting.refuse(request)) {
    responder.send(std::move(*refused));
    return;
  }
  with_token(admin, request, std::move(responder),
             [&tokens = admin.tokens, caller = caller_of(request)](
                 sdk::Responder& out, const sdk::Result<ApiTokenRow>& token) {
               send_fresh_token(out, token.ok() ? tokens.rotate(token.value(), caller)
                                                : sdk::Result<FreshApiToken>(token.error()));
             });
}

using Handle = void (*)(const Admin&, const sdk::Request&, sdk::Responder);

sdk::Status add(const sdk::Router& router, const Admin& admin, std::string_view method,
                std::string_view path, Handle handle) {
  sdk::Route route{method, path};
  route.flags = PX_ROUTE_CHECKS_SELF;  // whose Domain it is stands in a row
  route.bad_id_code = "invalid_token_id";
  return router.add_async(route, [admin, handle](const sdk::Request& request, sdk::Responder out) {
    handle(admin, request, std::move(out));
  });
}

}  // namespace

sdk::Status add_admin_token_routes(const sdk::Router& router, const ApiTokenService& tokens,
                                   RelationGate& gate, const MintGate& minting) {
  const Admin admin{tokens, gate, minting};
  if (auto added = add(router, admin, "POST", "/v1/admin/tokens", &issue); !added.ok()) {
    return added;
  }
  if (auto added = add(router, admin, "GET", "/v1/admin/tokens", &list); !added.ok()) {
    return added;
  }
  if (auto added = add(router, admin, "DELETE", "/v1/admin/tokens/{id}", &revoke); !added.ok()) {
    return added;
  }
  return add(router, admin, "POST", "/v1/admin/tokens/{id}/rotate", &rotate);
}

}  // namespace plexsphere::identity
