// Who asked, copied out of a request that may be over before the work is.
#pragma once

#include <string>

#include "plexsphere/sdk/ports/audit.hpp"
#include "plexsphere/sdk/ports/authz.hpp"
#include "plexsphere/sdk/router.hpp"

namespace plexsphere::tenancy {

struct Caller {
  sdk::Reference reference;
  sdk::AuditEntry entry;  // subject and request context; action, object and chain to be filled in
  std::string correlation_id;
  std::string remote_ip;
  int64_t deadline_steady_ns = 0;

  static Caller of(const sdk::Request& request) {
    const sdk::Principal principal = request.principal();
    return {{std::string(principal.reference_type()), principal.id.text(), {}},
            sdk::AuditEntry::of(request, {}, {}, {}),
            std::string(request.correlation_id()),
            std::string(request.remote_ip()),
            request.wire()->deadline_steady_ns};
  }

  // A row that says the caller did `action` to the object, in the Domain's chain.
  sdk::AuditEntry did(std::string action, std::string object_type, const sdk::Uuid& object,
                      const sdk::Uuid& domain) const {
    sdk::AuditEntry row = entry;
    row.relation = std::move(action);
    row.object_type = std::move(object_type);
    row.object_id = object.text();
    row.in_domain(domain);
    return row;
  }
};

}  // namespace plexsphere::tenancy
