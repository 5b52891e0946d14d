#include "app/relation_gate.hpp"

namespace plexsphere::identity {
namespace {

using sdk::Code;
using sdk::Error;

Error overloaded() {
  return {Code::resource_exhausted, "identity_overloaded",
          "Too many requests are waiting; try again."};
}

}  // namespace

// Owned by whichever completion comes next.
struct RelationGate::Passage {
  sdk::AuditEntry entry;
  Admission::Ticket ticket;
  std::function<void(const GateResult&)> then;
};

void RelationGate::pass(const Actor& actor, const CallContext& call, std::string_view permission,
                        const sdk::Reference& object, std::function<void(const GateResult&)> then) {
  auto ticket = admission_.admit();
  if (!ticket) {
    then(overloaded());
    return;
  }
  sdk::AuditEntry entry = audit_entry(call, {}, std::string(permission), object.type, {});
  entry.chain = object.type == "platform" ? PX_CHAIN_PLATFORM : PX_CHAIN_RESOLVE;
  entry.object_id = object.id;
  entry.subject_type = actor.type;
  entry.subject_id = actor.id.text();
  entry.subject_domain_id = actor.domain_id;
  auto passage =
      std::make_shared<Passage>(Passage{std::move(entry), std::move(*ticket), std::move(then)});
  authz_.check(
      actor.reference(), permission, object, call.remote_ip,
      [this, passage](const sdk::Result<sdk::Decision>& decision) { decided(passage, decision); });
}

void RelationGate::decided(const std::shared_ptr<Passage>& passage,
                           const sdk::Result<sdk::Decision>& decision) {
  if (!decision.ok() || decision->reason == PX_REASON_UNKNOWN) {
    passage->then(Error{Code::unavailable, "authz_unavailable", "The check gave no answer."});
    return;
  }
  const px_reason reason = decision->reason;
  passage->entry.reason = reason;
  passage->entry.relation_path = decision->relation_path;
  audit_.record(passage->entry, [this, passage, reason](const sdk::Status& stored) {
    recorded(passage, reason, stored);
  });
}

void RelationGate::recorded(const std::shared_ptr<Passage>& passage, px_reason reason,
                            const sdk::Status& stored) {
  // A Domain that is gone has no chain to tell of it. A denial stays one; nothing is granted on it.
  const bool ownerless = !stored.ok() && stored.error().reason == "domain_unresolved";
  GateResult result = reason;
  if (ownerless && reason == PX_REASON_GRANTED) {
    result = PX_REASON_OUT_OF_SCOPE;
  } else if (!stored.ok() && !ownerless) {
    result = Error{Code::unavailable, "audit_unavailable",
                   "The audit log cannot take the decision at the moment."};
  }
  // The committer's thread must not wait for our database work.
  if (!lane_.submit([passage, result] { passage->then(result); })) {
    passage->then(overloaded());
  }
}

sdk::Reference domain_or_platform(const sdk::Uuid& domain_id) {
  return domain_id.is_zero() ? sdk::Reference{"platform", "plexsphere"}
                             : sdk::Reference{"domain", domain_id.text()};
}

}  // namespace plexsphere::identity
