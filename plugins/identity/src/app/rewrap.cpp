// What operators ask: begin a run, look at one.
#include "app/rewrap.hpp"

#include "app/nsk_seal.hpp"

namespace plexsphere::identity {
namespace {

sdk::Error not_found(std::string reason, std::string detail) {
  return {sdk::Code::not_found, std::move(reason), std::move(detail)};
}

sdk::AuditEntry platform_entry(const CallContext& call, const Actor& actor, std::string relation) {
  sdk::AuditEntry entry =
      audit_entry(call, sdk::Uuid{}, std::move(relation), "platform", sdk::Uuid{});
  entry.in_platform();
  entry.object_id = "plexsphere";
  entry.subject_type = actor.type;
  entry.subject_id = actor.id.text();
  entry.subject_domain_id = actor.domain_id;
  return entry;
}

}  // namespace

sdk::Result<RewrapRun> Rewrap::new_run(const sdk::Uuid& domain_id) const {
  auto active = ports_.seal.active(nsk_scope(domain_id));
  if (!active.ok()) {
    return active.error();
  }
  const sdk::Instant now = ports_.clock.now();
  RewrapRun run;
  run.id = sdk::Uuid::v7(sdk::to_ms(now));
  run.domain_id = domain_id;
  run.request_id = run.id;
  run.from_version = active->version;
  run.requested_at = now;
  return run;
}

sdk::Status Rewrap::stage(const sdk::Transaction& tx, const RewrapRun& run,
                          std::string_view relation, const Actor& actor,
                          const CallContext& call) const {
  sdk::AuditEntry entry =
      audit_entry(call, run.domain_id, std::string(relation), "domain", run.domain_id);
  entry.subject_type = actor.type;
  entry.subject_id = actor.id.is_zero() ? std::string("nsk-rewrap") : actor.id.text();
  entry.subject_domain_id = actor.domain_id;
  return ports_.audit.stage(tx, entry);
}

sdk::Result<bool> Rewrap::begin_run(const sdk::Transaction& tx, const RewrapRun& run,
                                    const Actor& actor, const CallContext& call) const {
  auto begun = runs_.insert(tx, run);
  if (!begun.ok() || !*begun) {
    return begun;
  }
  auto staged = stage(tx, run, "nsk.rewrap", actor, call);
  return staged.ok() ? begun : sdk::Result<bool>(staged.error());
}

sdk::Result<RewrapRun> Rewrap::request(const sdk::Uuid& domain_id, const Actor& actor,
                                       const CallContext& call) const {
  if (auto known = ports_.tenancy.reachability_policy(domain_id); !known.ok()) {
    return known.error();
  }
  auto run = new_run(domain_id);
  if (!run.ok()) {
    return run.error().code == sdk::Code::not_found
               ? not_found("nsk_wrap_key_not_found", "No Node ever registered in this Domain.")
               : run.error();
  }
  auto tx = ports_.store.begin();
  if (!tx.ok()) {
    return tx.error();
  }
  auto begun = begin_run(*tx, *run, actor, call);
  if (!begun.ok()) {
    return begun.error();
  }
  if (!*begun) {
    return status(domain_id);
  }
  if (auto committed = tx->commit(); !committed.ok()) {
    return committed.error();
  }
  wake_();
  return run;
}

sdk::Result<std::size_t> Rewrap::request_all(const Actor& actor, const CallContext& call) const {
  auto domains = runs_.domains();
  if (!domains.ok()) {
    return domains.error();
  }
  std::vector<RewrapRun> wanted;
  const sdk::Uuid request_id = sdk::Uuid::v7(sdk::to_ms(ports_.clock.now()));
  for (const sdk::Uuid& domain_id : *domains) {
    auto run = new_run(domain_id);
    if (!run.ok()) {
      return run.error();
    }
    run->request_id = request_id;
    run->whole_deployment = true;
    wanted.push_back(std::move(*run));
  }
  auto tx = ports_.store.begin();
  if (!tx.ok()) {
    return tx.error();
  }
  std::size_t begun = 0;
  for (const RewrapRun& run : wanted) {
    auto inserted = begin_run(*tx, run, actor, call);
    if (!inserted.ok()) {
      return inserted.error();
    }
    begun += *inserted ? 1 : 0;
  }
  if (auto staged = ports_.audit.stage(*tx, platform_entry(call, actor, "nsk.rewrap_all"));
      !staged.ok()) {
    return staged.error();
  }
  if (auto committed = tx->commit(); !committed.ok()) {
    return committed.error();
  }
  wake_();
  return begun;
}

sdk::Result<RewrapRun> Rewrap::status(const sdk::Uuid& domain_id) const {
  if (auto known = ports_.tenancy.reachability_policy(domain_id); !known.ok()) {
    return known.error();
  }
  auto run = runs_.latest(domain_id);
  if (!run.ok()) {
    return run.error();
  }
  return *run ? sdk::Result<RewrapRun>(std::move(**run))
              : sdk::Result<RewrapRun>(
                    not_found("nsk_rewrap_not_found", "The Domain's keys were never re-wrapped."));
}

}  // namespace plexsphere::identity
