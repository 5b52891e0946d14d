#include "app/gate.hpp"

#include <utility>

namespace plexsphere::tenancy {
namespace {

using sdk::Code;
using sdk::Error;

GateResult outcome(px_reason reason, const sdk::Status& recorded) {
  if (recorded.ok()) {
    return reason;
  }
  if (recorded.error().reason == "domain_unresolved") {
    // No Domain, so no chain to tell of it; a denial stays one, and nothing else will be done.
    return reason == PX_REASON_GRANTED ? GateResult(recorded.error()) : GateResult(reason);
  }
  return Error{Code::unavailable, "audit_unavailable", "The audit log did not take the decision."};
}

}  // namespace

void pass_gate(Services& services, const Caller& caller, std::string_view permission,
               const sdk::Reference& object, std::function<void(const GateResult&)> then) {
  sdk::AuditEntry entry = caller.entry;
  entry.relation = permission;
  entry.object_type = object.type;
  entry.object_id = object.id;
  services.authz.check(
      caller.reference, permission, object, caller.remote_ip,
      [&services, entry = std::move(entry),
       then = std::move(then)](const sdk::Result<sdk::Decision>& decision) mutable {
        if (!decision.ok() || decision->reason == PX_REASON_UNKNOWN) {
          then(Error{Code::unavailable, "authz_unavailable", "The check gave no answer."});
          return;
        }
        entry.reason = decision->reason;
        entry.relation_path = decision->relation_path;
        const px_reason reason = decision->reason;
        services.audit.record(
            entry, [&services, reason, then = std::move(then)](const sdk::Status& recorded) {
              const GateResult result = outcome(reason, recorded);
              // The committer's thread must not wait for our database work.
              if (!services.executor.post([then, result] { then(result); })) {
                then(Error{Code::unavailable, "draining", "No thread takes the work now."});
              }
            });
      });
}

}  // namespace plexsphere::tenancy
