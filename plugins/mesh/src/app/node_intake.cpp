#include "app/node_intake.hpp"

#include "store/report_events.hpp"

namespace plexsphere::mesh {
namespace {

constexpr std::int64_t kSweepBatch = 500;

sdk::Error not_there(std::string_view reason) {
  return {sdk::Code::not_found, std::string(reason), "There is no such Node in the mesh."};
}

sdk::Error quota_exceeded(std::int64_t quota) {
  return {sdk::Code::resource_exhausted, "report_quota_exceeded",
          "The Node has " + std::to_string(quota) +
              " reports, as many as it may keep; delete one before adding another."};
}

}  // namespace

sdk::Status NodeIntake::declare() {
  for (const auto& status : {reporters_.declare(ports_.store), endpoints_.declare(ports_.store),
                             reports_.declare(ports_.store), capabilities_.declare(ports_.store)}) {
    if (!status.ok()) {
      return status;
    }
  }
  return {};
}

sdk::Result<ReportingPeer> NodeIntake::hold(const sdk::Transaction& tx, const Reporter& who,
                                            std::string_view absent, std::string_view gone) const {
  auto peer = reporters_.hold(tx, who.node_id, who.generation);
  if (!peer.ok()) {
    return peer;
  }
  switch (peer->standing) {
    case Standing::live:
      return peer;
    case Standing::absent:
      return not_there(absent);
    case Standing::gone:
      return absent == gone ? not_there(gone)
                            : sdk::Error{sdk::Code::failed_precondition, std::string(gone),
                                         "The Node has left the mesh."};
    case Standing::revoked:
      break;
  }
  return sdk::Error{sdk::Code::unauthenticated, "nsk_revoked", "The Node's key has been revoked."};
}

sdk::Status NodeIntake::tell(const sdk::Transaction& tx, sdk::Event event,
                             sdk::AuditEntry entry) const {
  event.correlation_id = entry.correlation_id;
  if (auto appended = ports_.outbox.append(tx, event); !appended.ok()) {
    return appended;
  }
  return ports_.audit.stage(tx, entry.in_domain(event.domain_id));
}

sdk::Result<AcceptedEndpoint> NodeIntake::accept_endpoint(const Reporter& who,
                                                          const std::string& endpoint,
                                                          const EndpointReport& report,
                                                          sdk::AuditEntry entry) const {
  auto tx = ports_.store.begin();
  if (!tx.ok()) {
    return tx.error();
  }
  const auto peer = hold(*tx, who, "endpoint_peer_not_found", "endpoint_peer_gone");
  if (!peer.ok()) {
    return peer.error();
  }
  auto accepted = endpoints_.put(*tx, who.node_id, endpoint, report, limits_.endpoint_ttl);
  if (!accepted.ok()) {
    return accepted;
  }
  if (accepted->moved) {
    if (auto told = tell(*tx, endpoint_moved(*peer, who.node_id, endpoint, report, *accepted),
                         std::move(entry));
        !told.ok()) {
      return told.error();
    }
  }
  if (auto done = tx->commit(); !done.ok()) {
    return done.error();
  }
  return accepted;
}

sdk::Result<AcceptedManifest> NodeIntake::accept_manifest(const Reporter& who,
                                                          const CapabilityManifest& manifest,
                                                          sdk::AuditEntry entry) const {
  constexpr std::string_view kAbsent = "capabilities_node_not_found";
  auto tx = ports_.store.begin();
  if (!tx.ok()) {
    return tx.error();
  }
  const auto peer = hold(*tx, who, kAbsent, kAbsent);
  if (!peer.ok()) {
    return peer.error();
  }
  auto accepted = capabilities_.put(*tx, who.node_id, manifest);
  if (!accepted.ok()) {
    return accepted;
  }
  if (!accepted->fields_changed.empty()) {
    entry.relation_path = accepted->fields_changed;
    if (auto told = tell(*tx, capabilities_updated(*peer, who.node_id, manifest, *accepted),
                         std::move(entry));
        !told.ok()) {
      return told.error();
    }
  }
  if (auto done = tx->commit(); !done.ok()) {
    return done.error();
  }
  return accepted;
}

sdk::Result<Time> NodeIntake::accept_report(const Reporter& who, const StateReport& report) const {
  constexpr std::string_view kAbsent = "node_not_found";
  auto tx = ports_.store.begin();
  if (!tx.ok()) {
    return tx.error();
  }
  if (const auto peer = hold(*tx, who, kAbsent, kAbsent); !peer.ok()) {
    return peer.error();
  }
  const auto accepted = reports_.put(*tx, who.node_id, report, limits_.report_quota);
  if (!accepted.ok()) {
    return accepted.error();
  }
  if (!accepted->has_value()) {
    return quota_exceeded(limits_.report_quota);
  }
  if (auto done = tx->commit(); !done.ok()) {
    return done.error();
  }
  return **accepted;
}

sdk::Status NodeIntake::remove_report(const Reporter& who, std::string_view key) const {
  constexpr std::string_view kAbsent = "report_not_found";
  auto tx = ports_.store.begin();
  if (!tx.ok()) {
    return tx.error();
  }
  if (const auto peer = hold(*tx, who, kAbsent, kAbsent); !peer.ok()) {
    return peer.error();
  }
  const auto removed = reports_.remove(*tx, who.node_id, key);
  if (!removed.ok()) {
    return removed.error();
  }
  if (!*removed) {
    return sdk::Error{sdk::Code::not_found, std::string(kAbsent),
                      "The Node has no report under this key."};
  }
  return tx->commit();
}

sdk::Status NodeIntake::sweep_endpoints(const sdk::JobRun& run) const {
  while (!run.should_stop()) {
    const auto told = sweep_batch(run);
    if (!told.ok()) {
      return told.error();
    }
    if (*told < static_cast<std::size_t>(kSweepBatch)) {
      break;
    }
  }
  return {};
}

sdk::Result<std::size_t> NodeIntake::sweep_batch(const sdk::JobRun& run) const {
  auto tx = run.begin();
  if (!tx.ok()) {
    return tx.error();
  }
  const auto stale = endpoints_.mark_stale(*tx, kSweepBatch);
  if (!stale.ok()) {
    return stale.error();
  }
  for (const StaleEndpoint& each : *stale) {
    if (auto appended = ports_.outbox.append(*tx, endpoint_staled(each)); !appended.ok()) {
      return appended.error();
    }
  }
  if (auto done = tx->commit(); !done.ok()) {
    return done.error();
  }
  return stale->size();
}

}  // namespace plexsphere::mesh
