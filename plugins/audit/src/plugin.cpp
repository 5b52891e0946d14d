// The audit context: one tamper-evident chain per Domain and one of the platform.
#include <sodium.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "app/archive_settings.hpp"
#include "app/chain_watch.hpp"
#include "app/committer.hpp"
#include "app/denial_cap.hpp"
#include "app/denial_report.hpp"
#include "app/erasure.hpp"
#include "app/note_signer.hpp"
#include "app/peppers.hpp"
#include "app/port.hpp"
#include "app/reconcile_probe.hpp"
#include "app/resolvers.hpp"
#include "app/retention.hpp"
#include "app/rows.hpp"
#include "app/verifier.hpp"
#include "http/checkpoint_routes.hpp"
#include "http/routes.hpp"
#include "plexsphere/sdk/plugin.hpp"
#include "plexsphere/sdk/ports/audit.hpp"
#include "store/audit_store.hpp"
#include "store/checkpoint_store.hpp"
#include "store/epoch_store.hpp"
#include "wiring/checkpointing.hpp"
#include "wiring/mirroring.hpp"

namespace plexsphere::audit {
namespace {

using sdk::Error;
using sdk::Result;
using sdk::Status;

constexpr std::string_view kRowsHelp =
    "Rows written to audit chains: \"staged\" with a change (counted before its COMMIT), "
    "\"recorded\" for a decision by itself";

}  // namespace

class AuditPlugin : public sdk::Plugin {
 public:
  Status configure(const sdk::Host& host) override;
  Status start() override;
  Status drain(std::chrono::milliseconds deadline) override;
  void stop() override;
  static Status validate(const sdk::Config& config) {
    const auto archive = read_archive_settings(config);
    const auto retention = read_retention_settings(config);
    return !archive.ok() ? archive.error() : retention.ok() ? Status() : Status(retention.error());
  }

 private:
  Status build(const sdk::Metrics& metrics, ChainWatch::Pace pace, std::int64_t denials);

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
  std::unique_ptr<Mirroring> mirroring_;  // null: there is no mirror
  std::unique_ptr<Checkpointing> checkpointing_;
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
  auto probed = health->register_probe("reconcile", PX_PROBE_FAILING, std::chrono::seconds(5),
                                       [this] { return reconcile_->run(); });
  if (!probed.ok()) {
    return probed;
  }
  const Common common{host,   *config,           *metrics,   *health,   clock_,     log_,
                      store_, checkpoint_store_, *verifier_, *peppers_, *reconcile_};
  auto checkpointing =
      Checkpointing::make(common, epoch_store_, *watch_, *signer_, *checkpoint_interval);
  if (!checkpointing.ok()) {
    return checkpointing.error();
  }
  checkpointing_ = std::move(*checkpointing);
  auto mirroring = Mirroring::make(common);
  if (!mirroring.ok()) {
    return mirroring.error();
  }
  mirroring_ = std::move(*mirroring);
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
  const SubjectCheck subjects(store_, *peppers_);
  verifier_ = std::make_unique<Verifier>(store_, checkpoint_store_, subjects, log_);
  signer_ = std::make_unique<NoteSigner>(clock_);
  watch_ = std::make_unique<ChainWatch>(store_, checkpoint_store_, epoch_store_, subjects, *signer_,
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
  if (mirroring_) {
    mirroring_->start();
  }
  return {};
}

Status AuditPlugin::drain(std::chrono::milliseconds deadline) {
  denial_report_->write(true);
  return committer_->drain(deadline);
}

void AuditPlugin::stop() {
  if (mirroring_) {
    mirroring_->stop();
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
