#include "http/whoami_route.hpp"

#include "http/errors.hpp"
#include "plexsphere/sdk/json.hpp"

namespace plexsphere::identity {
namespace {

// Without Secure, which a browser would not take over plain HTTP; a cookie that has it goes too.
constexpr const char* kClearedCookie =
    "plexsphere_session=; Path=/v1/; Max-Age=0; HttpOnly; SameSite=Strict";

sdk::Answer who(const sdk::Request& request, const OperatorStore& operators) {
  const sdk::Principal caller = request.principal();
  const OwnerKind kind = caller.kind == PX_PRINCIPAL_SERVICE ? OwnerKind::service : OwnerKind::user;
  auto found = operators.find_principal(kind, caller.id);
  if (!found.ok()) {
    return problem_of(found.error());
  }
  if (!*found) {
    return sdk::Problem{401, "unauthenticated", "The principal is gone.", {}, {}};
  }
  sdk::Json body{{"principal_type", owner_text(kind)},
                 {"principal_scope", caller.domain_id.is_zero() ? "platform" : "domain"},
                 {"subject", (*found)->subject}};
  if (!caller.domain_id.is_zero()) {
    body["domain_id"] = caller.domain_id.text();
  }
  if ((*found)->email) {
    body["email"] = *(*found)->email;
  }
  return sdk::Response::json(200, body.dump());
}

// Whoever asks, and whatever they had: the answer tells nothing of it. An API token is no session
// and stays what it was.
sdk::Answer sign_out() {
  sdk::Response out = sdk::Response::empty(204);
  out.headers.emplace_back("Set-Cookie", kClearedCookie);
  return out;
}

}  // namespace

sdk::Status add_whoami_routes(const sdk::Router& router, const OperatorStore& operators) {
  auto added = router.add({"GET", "/v1/auth/whoami"}, [&operators](const sdk::Request& request) {
    return who(request, operators);
  });
  if (!added.ok()) {
    return added;
  }
  return router.add({"DELETE", "/v1/auth/whoami", PX_AUTH_NONE},
                    [](const sdk::Request&) { return sign_out(); });
}

}  // namespace plexsphere::identity
