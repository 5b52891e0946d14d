#include "wiring/mirroring.hpp"

#include <utility>

#include "plexsphere/sdk/egress.hpp"

namespace plexsphere::audit {
namespace {

using sdk::Error;
using sdk::Result;
using sdk::Status;

constexpr std::string_view kArchiveJob = "archive";
constexpr std::string_view kRestoreJob = "archive_restore";
constexpr std::chrono::seconds kProbePatience{5};

Result<Archiver::Meters> make_meters(const sdk::Metrics& metrics) {
  auto copied = metrics.counter("plexsphere_audit_archived_total",
                                "Entries that were copied to the mirror and stamped");
  auto failed = metrics.counter("plexsphere_audit_archive_failures_total",
                                "Attempts to copy an entry that failed and are repeated");
  auto stuck = metrics.gauge("plexsphere_audit_archive_stuck_entries",
                             "Entries that cannot be copied: they do not hold, or the mirror has "
                             "something else in their place");
  auto entries = metrics.gauge("plexsphere_audit_archive_lag_entries",
                               "Entries that are not archived, as the leader last counted them");
  auto seconds = metrics.gauge("plexsphere_audit_archive_lag_seconds", "Age of the oldest of them");
  for (const auto* metric : {&copied, &failed, &stuck, &entries, &seconds}) {
    if (!metric->ok()) {
      return metric->error();
    }
  }
  return Archiver::Meters{*copied, *failed, *stuck, *entries, *seconds};
}

}  // namespace

Result<std::unique_ptr<Mirroring>> Mirroring::make(const Common& common) {
  const auto settings = read_archive_settings(common.config);
  if (!settings.ok() || !settings.value()) {
    return settings.ok() ? Result<std::unique_ptr<Mirroring>>(std::unique_ptr<Mirroring>())
                         : settings.error();
  }
  const auto egress = common.host.get<sdk::Egress>();
  const auto jobs = common.host.get<sdk::Jobs>();
  const auto store = ArchiveStore::declare(common.store.store());
  for (const Error* missing :
       {egress.ok() ? nullptr : &egress.error(), jobs.ok() ? nullptr : &jobs.error(),
        store.ok() ? nullptr : &store.error()}) {
    if (missing != nullptr) {
      return *missing;
    }
  }
  std::unique_ptr<Mirroring> out(new Mirroring);
  out->jobs_ = *jobs;
  auto added = out->add_scan(common, *settings.value(), *store, *egress);
  if (added.ok()) {
    added = out->add_restorer(common, *settings.value(), *egress);
  }
  if (added.ok()) {
    added = out->add_archiver(common, *settings.value(), *store, *egress);
  }
  return added.ok() ? Result<std::unique_ptr<Mirroring>>(std::move(out)) : added.error();
}

Status Mirroring::add_archiver(const Common& common, const ArchiveSettings& settings,
                               const ArchiveStore& store, const sdk::Egress& egress) {
  const auto meters = make_meters(common.metrics);
  if (!meters.ok()) {
    return meters.error();
  }
  archiver_ = std::make_unique<Archiver>(
      Archiver::Parts{store, common.verifier, egress, common.clock, common.log, settings,
                      [jobs = jobs_] { jobs.wake(kArchiveJob); }, *meters});
  auto probed = common.health.register_probe("archive", PX_PROBE_INFORMATIONAL, kProbePatience,
                                             [this] { return archiver_->probe(); });
  if (!probed.ok()) {
    return probed;
  }
  return jobs_.add(kArchiveJob, settings.interval, common.store.store().wire(),
                   [this](const sdk::JobRun& run) { return archiver_->run(run); });
}

Status Mirroring::add_scan(const Common& common, const ArchiveSettings& settings,
                           const ArchiveStore& store, const sdk::Egress& egress) {
  auto checked = common.metrics.counter("plexsphere_audit_mirror_checked_total",
                                        "Objects of the mirror that were read back and compared");
  auto diverged =
      common.metrics.gauge("plexsphere_audit_mirror_diverged_objects",
                           "Objects that are gone or say something else than their entries");
  for (const auto* metric : {&checked, &diverged}) {
    if (!metric->ok()) {
      return metric->error();
    }
  }
  scan_ = std::make_unique<MirrorScan>(MirrorScan::Parts{store,
                                                         common.store,
                                                         common.verifier,
                                                         egress,
                                                         common.clock,
                                                         common.log,
                                                         settings,
                                                         {*checked, *diverged}});
  common.reconcile.look_at(*scan_);
  return jobs_.add("mirror_scan", settings.scan_interval, common.store.store().wire(),
                   [this](const sdk::JobRun& run) { return scan_->run(run); });
}

Status Mirroring::add_restorer(const Common& common, const ArchiveSettings& settings,
                               const sdk::Egress& egress) {
  const auto requests = RestoreStore::declare(common.store.store());
  if (!requests.ok()) {
    return requests.error();
  }
  restorer_ = std::make_unique<Restorer>(Restorer::Parts{
      *requests, common.store, common.verifier, common.peppers, egress, common.clock, common.log,
      settings, [jobs = jobs_] { jobs.wake(kRestoreJob); }});
  return jobs_.add(kRestoreJob, kRequestPeriod, common.store.store().wire(),
                   [this](const sdk::JobRun& run) { return restorer_->run(run); });
}

void Mirroring::start() {
  archiver_->start();
  scan_->start();
  restorer_->start();
}

void Mirroring::stop() {
  archiver_->stop();
  scan_->stop();
  restorer_->stop();
}

}  // namespace plexsphere::audit
