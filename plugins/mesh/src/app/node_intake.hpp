// What Nodes tell beside their heartbeats: taken in one transaction that holds the Node, with the
// event and the audit row that belong to it.
//
// Rows of audit: a report that changes something others rely on (an endpoint, a manifest) is one;
// an unchanged one and state reports are none, for they come all the time and decide nothing.
// Thread safety: declare at configure, then any thread; every call blocks on the database.
#pragma once

#include <chrono>

#include "plexsphere/sdk/jobs.hpp"
#include "plexsphere/sdk/ports/audit.hpp"
#include "store/capability_store.hpp"
#include "store/endpoint_store.hpp"
#include "store/report_store.hpp"
#include "store/reporting_peer.hpp"

#include "plexsphere/sdk/outbox.hpp"

namespace plexsphere::mesh {

struct IntakePorts {
  sdk::Store store;
  sdk::Outbox outbox;
  sdk::Audit audit;
};

struct IntakeLimits {
  std::chrono::milliseconds endpoint_ttl;
  std::int64_t report_quota;  // stored reports of one Node
};

// Whose key the request came with.
struct Reporter {
  sdk::Uuid node_id;
  std::int64_t generation = 0;
};

class NodeIntake {
 public:
  NodeIntake(IntakePorts ports, IntakeLimits limits) : ports_(ports), limits_(limits) {}
  NodeIntake(const NodeIntake&) = delete;
  NodeIntake& operator=(const NodeIntake&) = delete;

  sdk::Status declare();
  std::chrono::milliseconds endpoint_ttl() const { return limits_.endpoint_ttl; }

  // All of them: UNAUTHENTICATED "nsk_revoked" when the key has been replaced or revoked since the
  // gate looked. `entry` names caller and action; its Domain is set here.

  // `endpoint` is canonical_endpoint of the report. NOT_FOUND "endpoint_peer_not_found",
  // FAILED_PRECONDITION "endpoint_peer_gone".
  sdk::Result<AcceptedEndpoint> accept_endpoint(const Reporter& who, const std::string& endpoint,
                                                const EndpointReport& report,
                                                sdk::AuditEntry entry) const;
  // `manifest` has passed judge_manifest. NOT_FOUND "capabilities_node_not_found".
  sdk::Result<AcceptedManifest> accept_manifest(const Reporter& who,
                                                const CapabilityManifest& manifest,
                                                sdk::AuditEntry entry) const;
  // When it was accepted. NOT_FOUND "node_not_found", RESOURCE_EXHAUSTED "report_quota_exceeded".
  sdk::Result<Time> accept_report(const Reporter& who, const StateReport& report) const;
  // NOT_FOUND "report_not_found", also for a Node that is not there.
  sdk::Status remove_report(const Reporter& who, std::string_view key) const;

  // Tells once of each endpoint that is past its time. A job's work.
  sdk::Status sweep_endpoints(const sdk::JobRun& run) const;

  const CapabilityStore& capabilities() const { return capabilities_; }

 private:
  sdk::Result<ReportingPeer> hold(const sdk::Transaction& tx, const Reporter& who,
                                  std::string_view absent, std::string_view gone) const;
  sdk::Status tell(const sdk::Transaction& tx, sdk::Event event, sdk::AuditEntry entry) const;
  sdk::Result<std::size_t> sweep_batch(const sdk::JobRun& run) const;

  IntakePorts ports_;
  IntakeLimits limits_;
  ReportingPeers reporters_;
  EndpointStore endpoints_;
  ReportStore reports_;
  CapabilityStore capabilities_;
};

}  // namespace plexsphere::mesh
