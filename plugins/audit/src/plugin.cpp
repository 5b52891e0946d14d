// The audit context: one tamper-evident chain per Domain and one of the platform.
#include <sodium.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "app/archive_settings.hpp"
#include "app/archiver.hpp"
#include "app/chain_watch.hpp"
#include "app/checkpoint_probe.hpp"
#include "app/checkpoints.hpp"
#include "app/committer.hpp"
#include "app/denial_cap.hpp"
#include "app/denial_report.hpp"
#include "app/erasure.hpp"
#include "app/mirror_scan.hpp"
#include "app/note_signer.hpp"
#include "app/peppers.hpp"
#include "app/port.hpp"
#include "app/reconcile_probe.hpp"
#include "app/resolvers.hpp"
#include "app/restore_declarer.hpp"
#include "app/restorer.hpp"
#include "app/rows.hpp"
#include "app/verifier.hpp"
#include "http/checkpoint_routes.hpp"
#include "http/routes.hpp"
#include "plexsphere/sdk/egress.hpp"
#include "plexsphere/sdk/jobs.hpp"
#include "plexsphere/sdk/plugin.hpp"
#include "plexsphere/sdk/ports/audit.hpp"
#include "store/audit_store.hpp"
#include "store/checkpoint_store.hpp"
#include "store/epoch_store.hpp"

namespace plexsphere::audit {
namespace {

using sdk::Error;
using sdk::Result;
using sdk::Status;

constexpr std::string_view kRowsHelp =
    "Rows written to audit chains: \"staged\" with a change (counted before its COMMIT), "
    "\"recorded\" for a decision by itself";

// How soon an administrator's request is seen, and one that met trouble is tried again.
constexpr std::chrono::seconds kRestorePeriod{2};

constexpr std::string_view kCheckpointJob = "checkpoints";

// The job looks several times in an interval, so that none is missed by much.
std::chrono::milliseconds job_period(std::chrono::milliseconds interval) {
  constexpr std::chrono::milliseconds kShortest{100};
  constexpr std::chrono::milliseconds kLongest{10'000};
  return std::clamp(interval / 6, kShortest, kLongest);
}

}  // namespace

class AuditPlugin : public sdk::Plugin {
 public:
  Status configure(const sdk::Host& host) override;
  Status start() override;
  Status drain(std::chrono::milliseconds deadline) override;
  void stop() override;
  static Status validate(const sdk::Config& config) {
    const auto archive = read_archive_settings(config);
    return archive.ok() ? Status() : Status(archive.error());
  }

 private:
  // Nothing to do without an endpoint.
  Status build_archive(const sdk::Host& host, const sdk::Config& config,
                       const sdk::Metrics& metrics, const sdk::Health& health);
  Status build(const sdk::Metrics& metrics, ChainWatch::Pace pace, std::int64_t denials);
  Status build_checkpoints(const sdk::Host& host, const sdk::Metrics& metrics,
                           std::chrono::milliseconds interval);

  sdk::Log log_;
  sdk::Clock clock_;
  sdk::Seal seal_;
  std::optional<sdk::Host> host_;
  AuditStore store_;
  CheckpointStore checkpoint_store_;
  EpochStore epoch_store_;
  Resolvers resolvers_;
  // In the order in which each needs the ones before it.
  std::unique_ptr<Peppers> peppers_;
  std::unique_ptr<DenialCap> denial_cap_;
  std::unique_ptr<RecordedRows> recorded_rows_;
  std::unique_ptr<Committer> committer_;
  std::unique_ptr<DenialReport> denial_report_;
  std::unique_ptr<Port> port_;
  std::unique_ptr<Verifier> verifier_;
  std::unique_ptr<NoteSigner> signer_;
  std::unique_ptr<ChainWatch> watch_;
  std::unique_ptr<ReconcileProbe> reconcile_;
  std::unique_ptr<Erasure> erasure_;
  std::unique_ptr<Archiver> archiver_;  // null, as the next two: there is no mirror
  std::unique_ptr<MirrorScan> scan_;
  std::unique_ptr<Restorer> restorer_;
  std::unique_ptr<Checkpoints> checkpoints_;
  std::unique_ptr<RestoreDeclarer> declarer_;
  std::unique_ptr<CheckpointProbe> checkpoint_probe_;
  std::unique_ptr<ChainRouter> chain_router_;
  std::unique_ptr<Routes> routes_;
  std::unique_ptr<CheckpointRoutes> checkpoint_routes_;
};

Status AuditPlugin::configure(const sdk::Host& host) {
  if (sodium_init() < 0) {
    return Error{sdk::Code::internal, "sodium", "libsodium could not be initialised."};
  }
  auto log = host.get<sdk::Log>();
  auto clock = host.get<sdk::Clock>();
  auto seal = host.get<sdk::Seal>();
  auto store = host.get<sdk::Store>();
  auto router = host.get<sdk::Router>();
  auto metrics = host.get<sdk::Metrics>();
  auto health = host.get<sdk::Health>();
  auto config = host.get<sdk::Config>();
  for (const Error* missing :
       {log.ok() ? nullptr : &log.error(), clock.ok() ? nullptr : &clock.error(),
        seal.ok() ? nullptr : &seal.error(), store.ok() ? nullptr : &store.error(),
        router.ok() ? nullptr : &router.error(), metrics.ok() ? nullptr : &metrics.error(),
        health.ok() ? nullptr : &health.error(), config.ok() ? nullptr : &config.error()}) {
    if (missing != nullptr) {
      return *missing;
    }
  }
  log_ = *log;
  clock_ = *clock;
  seal_ = *seal;
  auto declared = AuditStore::declare(*store);
  if (!declared.ok()) {
    return declared.error();
  }
  store_ = *declared;
  auto trees = CheckpointStore::declare(*store);
  if (!trees.ok()) {
    return trees.error();
  }
  checkpoint_store_ = *trees;
  auto epochs = EpochStore::declare(*store);
  if (!epochs.ok()) {
    return epochs.error();
  }
  epoch_store_ = *epochs;
  host_ = host;
  const auto interval = config->duration("verify_interval");
  const auto rate = config->integer("verify_rate");
  const auto denials = config->integer("denials_per_minute");
  const auto checkpoint_interval = config->duration("checkpoint_interval");
  for (const Error* wrong :
       {interval.ok() ? nullptr : &interval.error(), rate.ok() ? nullptr : &rate.error(),
        denials.ok() ? nullptr : &denials.error(),
        checkpoint_interval.ok() ? nullptr : &checkpoint_interval.error()}) {
    if (wrong != nullptr) {
      return *wrong;
    }
  }
  if (auto built = build(*metrics, {*interval, *rate}, *denials); !built.ok()) {
    return built;
  }
  if (auto built = build_checkpoints(host, *metrics, *checkpoint_interval); !built.ok()) {
    return built;
  }
  auto probed = health->register_probe("reconcile", PX_PROBE_FAILING, std::chrono::seconds(5),
                                       [this] { return reconcile_->run(); });
  if (!probed.ok()) {
    return probed;
  }
  if (auto built = build_archive(host, *config, *metrics, *health); !built.ok()) {
    return built;
  }
  probed = health->register_probe("checkpoints", PX_PROBE_INFORMATIONAL, std::chrono::seconds(5),
                                  [this] { return checkpoint_probe_->run(); });
  if (!probed.ok()) {
    return probed;
  }
  if (auto added = routes_->add_to(*router); !added.ok()) {
    return added;
  }
  if (auto added = checkpoint_routes_->add_to(*router); !added.ok()) {
    return added;
  }
  return host.provide(sdk::Audit::kName, port_->table());
}

Status AuditPlugin::build(const sdk::Metrics& metrics, ChainWatch::Pace pace,
                          std::int64_t denials) {
  constexpr std::string_view kRows = "plexsphere_audit_rows_appended_total";
  auto staged = metrics.counter(kRows, kRowsHelp, {{"path", "staged"}});
  auto recorded = metrics.counter(kRows, kRowsHelp, {{"path", "recorded"}});
  auto batches = metrics.counter("plexsphere_audit_batches_total",
                                 "Transactions that wrote recorded decisions");
  auto read = metrics.counter("plexsphere_audit_entries_read_total",
                              "Entries that the watch over the chains has read and found to hold");
  auto broken = metrics.gauge("plexsphere_audit_broken_chains",
                              "Chains that the watch has found not to hold, and still finds so");
  auto counted = metrics.counter("plexsphere_audit_denials_counted_total",
                                 "Refusals beyond their principal's cap: counted, not written");
  for (const auto* metric : {&staged, &recorded, &batches, &read, &broken, &counted}) {
    if (!metric->ok()) {
      return metric->error();
    }
  }
  peppers_ = std::make_unique<Peppers>(store_, seal_);
  denial_cap_ = std::make_unique<DenialCap>(denials, *counted);
  recorded_rows_ = std::make_unique<RecordedRows>(resolvers_, *peppers_, *denial_cap_);
  committer_ = std::make_unique<Committer>(
      CommitterWork{
          [this](const Entry& entry) { return recorded_rows_->known_of(entry); },
          [this](const Entry& entry) { return recorded_rows_->of(entry); },
          [this](std::vector<const Row*> rows) { return store_.append_now(std::move(rows)); }},
      log_, *recorded, *batches);
  denial_report_ = std::make_unique<DenialReport>(*denial_cap_, *committer_, clock_, log_);
  port_ = std::make_unique<Port>(
      Port::Parts{clock_, *staged, &store_, peppers_.get(), &resolvers_, committer_.get()});
  verifier_ = std::make_unique<Verifier>(store_, log_);
  signer_ = std::make_unique<NoteSigner>(clock_);
  watch_ = std::make_unique<ChainWatch>(store_, checkpoint_store_, epoch_store_, *signer_,
                                        *verifier_, log_, pace, ChainWatch::Meters{*read, *broken});
  reconcile_ = std::make_unique<ReconcileProbe>(*verifier_, *watch_, clock_);
  erasure_ = std::make_unique<Erasure>(store_, *peppers_, clock_, log_);
  chain_router_ = std::make_unique<ChainRouter>(resolvers_, log_);
  routes_ =
      std::make_unique<Routes>(store_, *chain_router_, *peppers_, *verifier_, *erasure_, clock_);
  checkpoint_routes_ =
      std::make_unique<CheckpointRoutes>(store_, checkpoint_store_, epoch_store_, *chain_router_);
  return port_->join();
}

Status AuditPlugin::build_checkpoints(const sdk::Host& host, const sdk::Metrics& metrics,
                                      std::chrono::milliseconds interval) {
  const auto jobs = host.get<sdk::Jobs>();
  if (!jobs.ok()) {
    return jobs.error();
  }
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
  checkpoints_ = std::make_unique<Checkpoints>(
      Checkpoints::Parts{store_,
                         checkpoint_store_,
                         *verifier_,
                         *watch_,
                         *signer_,
                         epoch_store_,
                         *peppers_,
                         clock_,
                         log_,
                         interval,
                         [jobs = *jobs] { jobs.wake(kCheckpointJob); },
                         {*made, *broken, *no_signer, *failed, *entries, *seconds}});
  checkpoint_probe_ = std::make_unique<CheckpointProbe>(*checkpoints_, *signer_, interval);
  reconcile_->look_at(*checkpoints_);
  declarer_ = std::make_unique<RestoreDeclarer>(RestoreDeclarer::Parts{
      store_, checkpoint_store_, epoch_store_, *signer_, *peppers_, clock_, log_});
  if (auto added = jobs->add("declare_restores", kRestorePeriod, store_.store().wire(),
                             [this](const sdk::JobRun& run) { return declarer_->run(run); });
      !added.ok()) {
    return added;
  }
  return jobs->add(kCheckpointJob, job_period(interval), store_.store().wire(),
                   [this](const sdk::JobRun& run) { return checkpoints_->run(run); });
}

Status AuditPlugin::build_archive(const sdk::Host& host, const sdk::Config& config,
                                  const sdk::Metrics& metrics, const sdk::Health& health) {
  constexpr std::string_view kJob = "archive";
  auto settings = read_archive_settings(config);
  if (!settings.ok() || !settings.value()) {
    return settings.ok() ? Status() : Status(settings.error());
  }
  const auto egress = host.get<sdk::Egress>();
  const auto jobs = host.get<sdk::Jobs>();
  auto store = ArchiveStore::declare(store_.store());
  auto requests = RestoreStore::declare(store_.store());
  for (const Error* missing :
       {egress.ok() ? nullptr : &egress.error(), jobs.ok() ? nullptr : &jobs.error(),
        store.ok() ? nullptr : &store.error(), requests.ok() ? nullptr : &requests.error()}) {
    if (missing != nullptr) {
      return *missing;
    }
  }
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
  auto checked = metrics.counter("plexsphere_audit_mirror_checked_total",
                                 "Objects of the mirror that were read back and compared");
  auto diverged = metrics.gauge("plexsphere_audit_mirror_diverged_objects",
                                "Objects that are gone or say something else than their entries");
  for (const auto* metric : {&copied, &failed, &stuck, &entries, &seconds, &checked, &diverged}) {
    if (!metric->ok()) {
      return metric->error();
    }
  }
  const auto interval = settings.value()->interval;
  const auto scan_interval = settings.value()->scan_interval;
  scan_ = std::make_unique<MirrorScan>(MirrorScan::Parts{
      *store, store_, *verifier_, *egress, clock_, log_, *settings.value(), {*checked, *diverged}});
  reconcile_->look_at(*scan_);
  constexpr std::string_view kRestoreJob = "archive_restore";
  restorer_ = std::make_unique<Restorer>(
      Restorer::Parts{*requests, store_, *verifier_, *peppers_, *egress, clock_, log_,
                      *settings.value(), [jobs = *jobs] { jobs.wake(kRestoreJob); }});
  if (auto added = jobs->add(kRestoreJob, kRestorePeriod, store_.store().wire(),
                             [this](const sdk::JobRun& run) { return restorer_->run(run); });
      !added.ok()) {
    return added;
  }
  archiver_ =
      std::make_unique<Archiver>(Archiver::Parts{*store,
                                                 *verifier_,
                                                 *egress,
                                                 clock_,
                                                 log_,
                                                 std::move(*settings.value()),
                                                 [jobs = *jobs, kJob] { jobs.wake(kJob); },
                                                 {*copied, *failed, *stuck, *entries, *seconds}});
  if (auto probed =
          health.register_probe("archive", PX_PROBE_INFORMATIONAL, std::chrono::seconds(5),
                                [this] { return archiver_->probe(); });
      !probed.ok()) {
    return probed;
  }
  if (auto added = jobs->add("mirror_scan", scan_interval, store_.store().wire(),
                             [this](const sdk::JobRun& run) { return scan_->run(run); });
      !added.ok()) {
    return added;
  }
  return jobs->add(kJob, interval, store_.store().wire(),
                   [this](const sdk::JobRun& run) { return archiver_->run(run); });
}

Status AuditPlugin::start() {
  auto key = seal_.derive_key("cursor");
  auto same_key = seal_.derive_key("cursor");
  if (!key.ok() || !same_key.ok()) {
    return key.ok() ? same_key.error() : key.error();
  }
  routes_->use_cursors(sdk::CursorCodec(std::move(*key)));
  checkpoint_routes_->use_cursors(sdk::CursorCodec(std::move(*same_key)));
  // Not in configure: whoever signs records here, and so is configured after this context.
  if (const auto signing = host_->get<sdk::Signing>(); signing.ok()) {
    signer_->use(*signing);
  } else {
    log_.warn("audit.no_signer", {{"detail", "no checkpoint of any chain is signed"}});
  }
  committer_->start();
  denial_report_->start();
  watch_->start();
  if (archiver_) {
    archiver_->start();
    scan_->start();
    restorer_->start();
  }
  return {};
}

Status AuditPlugin::drain(std::chrono::milliseconds deadline) {
  denial_report_->write(true);
  return committer_->drain(deadline);
}

void AuditPlugin::stop() {
  if (archiver_) {
    archiver_->stop();
    scan_->stop();
    restorer_->stop();
  }
  if (watch_) {
    watch_->stop();
  }
  if (denial_report_) {
    denial_report_->stop();
  }
  if (committer_) {
    committer_->stop();
  }
  if (peppers_) {
    peppers_->forget();
  }
}

}  // namespace plexsphere::audit

PLEXSPHERE_PLUGIN(plexsphere::audit::AuditPlugin, "audit", "0.1.0");
