#include "host/persistence/extension.hpp"

#include <utility>

#include "host/persistence/store_error.hpp"
#include "host/services/data_services.hpp"
#include "host/services/data_settings.hpp"
#include "host/services/egress_service.hpp"
#include "host/services/store_service.hpp"
#include "host/services/verify_service.hpp"
#include "host/telemetry/log.hpp"
#include "host/telemetry/metrics.hpp"

namespace plexsphere::host {
namespace {

using persistence::Client;

// Makes partitions of the outbox a week ahead and drops those of more than thirty days ago.
class OutboxMaintenance {
 public:
  static constexpr std::int64_t kDaysAhead = 7;
  static constexpr std::int64_t kKeepDays = 30;

  explicit OutboxMaintenance(persistence::Store& store) : store_(store) {
    constexpr std::string_view name = "outbox.maintain";
    constexpr std::string_view sql =
        "SELECT made, dropped FROM platform.outbox_maintain($1::int, $2::int)";
    const px_type types[] = {PX_TYPE_INT64, PX_TYPE_INT64};
    const px_statement statement{sizeof(px_statement),
                                 0,
                                 {name.data(), name.size()},
                                 {sql.data(), sql.size()},
                                 types,
                                 2,
                                 types,
                                 2};
    statement_ = store_.catalog().declare(client_, statement);
  }

  [[nodiscard]] jobs::Job job() const {
    jobs::Job out;
    out.client = client_;
    out.name = "outbox_partitions";
    out.period = std::chrono::hours{1};
    out.run = [this](const px_job_run& run, px_error* err) { return work(run, err); };
    return out;
  }

 private:
  px_status work(const px_job_run& run, px_error* err) const {
    px_tx* tx = nullptr;
    if (const px_status status = run.begin(run.self, &tx, err); status != PX_OK) {
      return status;
    }
    px_value parameters[2]{};
    parameters[0].type = parameters[1].type = PX_TYPE_INT64;
    parameters[0].v.integer = kDaysAhead;
    parameters[1].v.integer = kKeepDays;
    try {
      store_.execute(client_, tx, statement_, parameters, 2, nullptr);
    } catch (...) {
      store_.rollback(tx);
      throw;
    }
    store_.commit(tx);
    return PX_OK;
  }

  persistence::Store& store_;
  const Client client_{"platform", "plexsphere_platform", false, true};
  std::uint32_t statement_ = 0;
};

jobs::SchedulerObserver observe(telemetry::Metrics& metrics) {
  auto& runs = metrics.counter("plexsphere_job_runs_total", "Runs of periodic jobs by outcome");
  auto& leads = metrics.gauge("plexsphere_job_leader", "1 while this replica leads the job");
  auto& time = metrics.histogram("plexsphere_job_duration_seconds", "Duration of job runs");
  jobs::SchedulerObserver observer;
  observer.ran = [&runs, &time](const std::string& job, px_status outcome, double seconds) {
    runs.Add({{"job", job}, {"outcome", code_name(static_cast<Code>(outcome))}}).Increment();
    time.Add({{"job", job}}, telemetry::Metrics::latency_buckets()).Observe(seconds);
  };
  observer.leads = [&leads](const std::string& job, bool held) {
    leads.Add({{"job", job}}).Set(held ? 1 : 0);
  };
  return observer;
}

// The engines, in the order they depend on each other. Shared by the four providers, which are
// destroyed in any order.
struct Engines {
  Engines(persistence::StoreOptions options, seal::RootKey root, HostContext& host)
      : store(options, log_sink(host.log)),
        outbox(store),
        vault(store, std::move(root)),
        maintenance(store),
        scheduler(store, scheduler_options(options), log_sink(host.log), observe(host.metrics)) {
    scheduler.add(maintenance.job());
  }

  static jobs::SchedulerOptions scheduler_options(const persistence::StoreOptions& options) {
    jobs::SchedulerOptions out;
    out.session = options.pool.session;
    out.session.application_name = "plexsphere-leader";
    return out;
  }

  persistence::Store store;
  outbox::Outbox outbox;
  seal::Vault vault;
  OutboxMaintenance maintenance;
  jobs::Scheduler scheduler;
};

struct EngineHolder {
  std::shared_ptr<Engines> engines;
};

// A provider that keeps the engines alive as long as itself; the holder stands first, so that it
// goes last.
template <typename Provider>
class Holding : private EngineHolder, public Provider {
 public:
  template <typename... Args>
  explicit Holding(std::shared_ptr<Engines> kept, Args&&... args)
      : EngineHolder{std::move(kept)}, Provider(std::forward<Args>(args)...) {}
};

Result<ServiceProviders> make(const config::Configuration& configuration, HostContext& host) {
  auto options = store_options(configuration.section("database"));
  if (!options) {
    return options.status();
  }
  auto root = seal::RootKey::load(root_key_source(configuration.section("seal")));
  if (!root) {
    return root.status();
  }
  try {
    const auto engines = std::make_shared<Engines>(*options, std::move(*root), host);
    ServiceProviders providers;
    providers.push_back(std::make_unique<Holding<StoreProvider>>(engines, engines->store, host));
    providers.push_back(std::make_unique<Holding<OutboxProvider>>(engines, engines->outbox));
    providers.push_back(std::make_unique<Holding<SealProvider>>(engines, engines->vault));
    // Before jobs: a job that waits for an answer is let go before it is waited for.
    providers.push_back(
        services::make_egress_service(host, egress_options(configuration.section("egress"))));
    providers.push_back(std::make_unique<Holding<JobsProvider>>(engines, engines->scheduler));
    providers.push_back(services::make_verify_service());
    return providers;
  } catch (const persistence::StoreError& error) {
    return {static_cast<Code>(error.status()), error.what()};
  }
}

}  // namespace

}  // namespace plexsphere::host

namespace plexsphere::host::persistence {

Extension extension() {
  return {{database_section(), seal_section(), egress_section()}, check_data_settings, make};
}

}  // namespace plexsphere::host::persistence
