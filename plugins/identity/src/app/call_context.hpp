// Where a call came from, copied out of its request, for audit rows written after it.
#pragma once

#include <string>

#include "plexsphere/sdk/ports/audit.hpp"
#include "plexsphere/sdk/router.hpp"

namespace plexsphere::identity {

struct CallContext {
  std::string correlation_id;
  std::string remote_ip;
  std::string user_agent;

  static CallContext of(const sdk::Request& request) {
    return {std::string(request.correlation_id()), std::string(request.remote_ip()),
            std::string(request.user_agent())};
  }
};

// A row about `object` in the chain of `domain_id`, without a subject yet.
inline sdk::AuditEntry audit_entry(const CallContext& call, const sdk::Uuid& domain_id,
                                   std::string relation, std::string object_type,
                                   const sdk::Uuid& object_id) {
  sdk::AuditEntry entry;
  entry.in_domain(domain_id);
  entry.relation = std::move(relation);
  entry.object_type = std::move(object_type);
  entry.object_id = object_id.text();
  entry.correlation_id = call.correlation_id;
  entry.remote_ip = call.remote_ip;
  entry.user_agent = call.user_agent;
  return entry;
}

}  // namespace plexsphere::identity
