#include "wiring/checkpointing.hpp"

#include <algorithm>
#include <utility>

namespace plexsphere::audit {
namespace {

using sdk::Error;
using sdk::Result;
using sdk::Status;

constexpr std::string_view kJob = "checkpoints";
constexpr std::chrono::seconds kProbePatience{5};

// The job looks several times in an interval, so that none is missed by much.
std::chrono::milliseconds job_period(std::chrono::milliseconds interval) {
  constexpr std::chrono::milliseconds kShortest{100};
  constexpr std::chrono::milliseconds kLongest{10'000};
  return std::clamp(interval / 6, kShortest, kLongest);
}

Result<Checkpoints::Meters> make_meters(const sdk::Metrics& metrics) {
  const auto failures = [&](const std::string& reason) {
    return metrics.counter(
        "plexsphere_audit_checkpoint_failures_total",
        "Checkpoints that were due and not made: \"broken\" chain, \"no_signer\", "
        "or \"failed\" for another reason",
        {{"reason", reason}});
  };
  auto made = metrics.counter("plexsphere_audit_checkpoints_total", "Checkpoints signed and kept");
  auto broken = failures("broken");
  auto no_signer = failures("no_signer");
  auto failed = failures("failed");
  auto entries = metrics.gauge("plexsphere_audit_checkpoint_behind_entries",
                               "The most entries of one chain that no checkpoint covers");
  auto seconds = metrics.gauge("plexsphere_audit_checkpoint_behind_seconds",
                               "For how long the oldest such entry has been waiting");
  for (const auto* metric : {&made, &broken, &no_signer, &failed, &entries, &seconds}) {
    if (!metric->ok()) {
      return metric->error();
    }
  }
  return Checkpoints::Meters{*made, *broken, *no_signer, *failed, *entries, *seconds};
}

}  // namespace

Result<std::unique_ptr<Checkpointing>> Checkpointing::make(const Common& common, EpochStore epochs,
                                                           const ChainWatch& watch,
                                                           NoteSigner& signer,
                                                           std::chrono::milliseconds interval) {
  const auto jobs = common.host.get<sdk::Jobs>();
  if (!jobs.ok()) {
    return jobs.error();
  }
  std::unique_ptr<Checkpointing> out(new Checkpointing);
  out->jobs_ = *jobs;
  auto added = out->add_retention(common, interval);
  if (added.ok()) {
    added = out->add_checkpoints(common, epochs, watch, signer, interval);
  }
  if (added.ok()) {
    added = out->add_restores(common, epochs, signer);
  }
  return added.ok() ? Result<std::unique_ptr<Checkpointing>>(std::move(out)) : added.error();
}

Status Checkpointing::add_retention(const Common& common, std::chrono::milliseconds interval) {
  auto settings = read_retention_settings(common.config);
  auto boundaries = BoundaryStore::declare(common.store.store());
  auto pruned = common.metrics.counter("plexsphere_audit_pruned_total",
                                       "Entries that left the database behind a boundary");
  for (const Error* wrong :
       {settings.ok() ? nullptr : &settings.error(),
        boundaries.ok() ? nullptr : &boundaries.error(), pruned.ok() ? nullptr : &pruned.error()}) {
    if (wrong != nullptr) {
      return *wrong;
    }
  }
  retention_ = std::make_unique<Retention>(*boundaries, common.checkpoints, std::move(*settings),
                                           common.clock);
  pruner_ = std::make_unique<Pruner>(*boundaries, common.clock, common.log, *pruned);
  return jobs_.add("prune", interval, common.store.store().wire(),
                   [this](const sdk::JobRun& run) { return pruner_->run(run); });
}

Status Checkpointing::add_checkpoints(const Common& common, const EpochStore& epochs,
                                      const ChainWatch& watch, NoteSigner& signer,
                                      std::chrono::milliseconds interval) {
  auto meters = make_meters(common.metrics);
  if (!meters.ok()) {
    return meters.error();
  }
  checkpoints_ = std::make_unique<Checkpoints>(
      Checkpoints::Parts{common.store, common.checkpoints, common.verifier, watch, signer, epochs,
                         *retention_, common.peppers, common.clock, common.log, interval,
                         [jobs = jobs_] { jobs.wake(kJob); }, *meters});
  common.reconcile.look_at(*checkpoints_);
  probe_ = std::make_unique<CheckpointProbe>(*checkpoints_, signer, interval);
  auto probed = common.health.register_probe("checkpoints", PX_PROBE_INFORMATIONAL, kProbePatience,
                                             [this] { return probe_->run(); });
  if (!probed.ok()) {
    return probed;
  }
  return jobs_.add(kJob, job_period(interval), common.store.store().wire(),
                   [this](const sdk::JobRun& run) { return checkpoints_->run(run); });
}

Status Checkpointing::add_restores(const Common& common, const EpochStore& epochs,
                                   NoteSigner& signer) {
  declarer_ = std::make_unique<RestoreDeclarer>(RestoreDeclarer::Parts{
      common.store, common.checkpoints, epochs, signer, common.peppers, common.clock, common.log});
  return jobs_.add("declare_restores", kRequestPeriod, common.store.store().wire(),
                   [this](const sdk::JobRun& run) { return declarer_->run(run); });
}

}  // namespace plexsphere::audit
