// The relation check of routes whose object stands in the body: decided, put on record, and only
// then acted upon. As the host does it for every other route.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "app/caller.hpp"
#include "app/services.hpp"

namespace plexsphere::tenancy {

// How a gate ended: granted, denied with a reason, or an Error of reason "authz_unavailable",
// "audit_unavailable", or "domain_unresolved" when it was granted on an object that nobody owns.
using GateResult = sdk::Result<px_reason>;

// `then` runs once, on a thread that may block. [worker]
void pass_gate(Services& services, const Caller& caller, std::string_view permission,
               const sdk::Reference& object, std::function<void(const GateResult&)> then);

}  // namespace plexsphere::tenancy
