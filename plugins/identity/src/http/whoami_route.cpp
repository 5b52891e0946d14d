#include "http/whoami_route.hpp"

#include "http/errors.hpp"
#include "plexsphere/sdk/json.hpp"

namespace plexsphere::identity {

sdk::Status add_whoami_route(const sdk::Router& router, const OperatorStore& operators) {
  return router.add({"GET", "/v1/auth/whoami"}, [&operators](const sdk::Request& request) {
    const sdk::Principal caller = request.principal();
    auto user = operators.find_user(caller.id);
    if (!user.ok()) {
      return sdk::Answer(problem_of(user.error()));
    }
    if (!*user) {
      return sdk::Answer(sdk::Problem{401, "unauthenticated", "The principal is gone.", {}, {}});
    }
    sdk::Json body{{"principal_type", caller.kind == PX_PRINCIPAL_SERVICE ? "service" : "user"},
                   {"principal_scope", caller.domain_id.is_zero() ? "platform" : "domain"},
                   {"subject", (*user)->subject}};
    if (!caller.domain_id.is_zero()) {
      body["domain_id"] = caller.domain_id.text();
    }
    if ((*user)->email) {
      body["email"] = *(*user)->email;
    }
    return sdk::Answer(sdk::Response::json(200, body.dump()));
  });
}

}  // namespace plexsphere::identity
