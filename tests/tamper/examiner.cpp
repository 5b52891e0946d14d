#include "tamper/examiner.hpp"

#include <sys/stat.h>

#include <stdexcept>
#include <utility>

#include "host/persistence/extension.hpp"
#include "host/services/clock.hpp"
#include "host/services/log.hpp"
#include "host/services/metrics.hpp"
#include "live_audit.hpp"

namespace plexsphere::tamper {
namespace {

template <typename T>
T value_of(sdk::Result<T> result) {
  if (!result.ok()) {
    throw std::runtime_error(result.error().reason + ": " + result.error().detail);
  }
  return std::move(*result);
}

void require_none(const host::config::Issues& issues) {
  for (const auto& issue : issues) {
    throw std::runtime_error(issue.text());
  }
}

}  // namespace

// The log goes nowhere: thousands of findings are meant, and a test judges what they say.
Examiner::Examiner(const audit::test::ChainDatabase& database)
    : nowhere_("/dev/null"),
      log_("plexsphere", host::telemetry::Level::kError, nowhere_),
      host_{log_, metrics_, health_, "plexsphere"} {
  const std::string root_key = files_.write("root.key", audit::test::kRootKey).string();
  ::chmod(root_key.c_str(), 0400);
  const std::string file =
      files_
          .write("plexsphere.toml", "[database]\ndsn = \"" + database.dsn("plexsphere_core") +
                                        "\"\npool_size = 4\n[seal]\nroot_key_file = \"" + root_key +
                                        "\"\n[context.audit]\nenabled = true\n")
          .string();
  const host::Extension data = host::persistence::extension();
  auto loaded = host::config::load({file, true, {}}, data.sections);
  require_none(loaded.issues);
  configuration_ = std::move(loaded.configuration);
  auto read = host::config::read_manifest(AUDIT_PLUGIN_DIRECTORY);
  require_none(read.issues);
  manifest_ = std::move(read.manifest);
  host::config::Issues issues;
  settings_ = configuration_.context_settings(manifest_, issues);
  require_none(issues);
  context_ = std::make_unique<host::PluginContext>(host::PluginContext{manifest_, settings_});

  providers_.push_back(host::services::make_clock_service());
  providers_.push_back(host::services::make_log_service(host_));
  providers_.push_back(host::services::make_metrics_service(host_));
  auto more = data.make(configuration_, host_);
  if (!more) {
    throw std::runtime_error(more.status().message());
  }
  for (auto& provider : *more) {
    providers_.push_back(std::move(provider));
  }
  for (const auto& provider : providers_) {
    if (const auto ready = provider->prepare(); !ready) {
      throw std::runtime_error(ready.message());
    }
  }
  const auto store = service<sdk::Store>();
  chains_ = value_of(audit::AuditStore::declare(store));
  checkpoints_ = value_of(audit::CheckpointStore::declare(store));
  epochs_ = value_of(audit::EpochStore::declare(store));
  signer_ = std::make_unique<audit::NoteSigner>(service<sdk::Clock>());
  peppers_ = std::make_unique<audit::Peppers>(chains_, service<sdk::Seal>());
  subjects_ = std::make_unique<audit::SubjectCheck>(chains_, *peppers_);
  verifier_ =
      std::make_unique<audit::Verifier>(chains_, checkpoints_, *subjects_, service<sdk::Log>());
}

Examiner::~Examiner() {
  for (auto provider = providers_.rbegin(); provider != providers_.rend(); ++provider) {
    (*provider)->stopped();
  }
}

template <typename Wrapper>
Wrapper Examiner::service() const {
  for (const auto& provider : providers_) {
    if (provider->name() == Wrapper::kName) {
      return Wrapper(
          reinterpret_cast<const typename Wrapper::Wire*>(provider->table_for(*context_)));
    }
  }
  throw std::runtime_error("no such service: " + std::string(Wrapper::kName));
}

std::unique_ptr<audit::ChainWatch> Examiner::new_watch() const {
  const auto metrics = service<sdk::Metrics>();
  return std::make_unique<audit::ChainWatch>(
      chains_, checkpoints_, epochs_, *subjects_, *signer_, *verifier_, service<sdk::Log>(),
      audit::ChainWatch::Pace{std::chrono::hours(1), 1'000'000'000},
      audit::ChainWatch::Meters{
          value_of(metrics.counter("plexsphere_audit_read_total", "Entries read")),
          value_of(metrics.gauge("plexsphere_audit_broken", "Chains"))});
}

}  // namespace plexsphere::tamper
