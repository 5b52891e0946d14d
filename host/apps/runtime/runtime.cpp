#include "host/apps/runtime/runtime.hpp"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "host/apps/runtime/descriptors.hpp"
#include "host/apps/runtime/endpoints.hpp"
#include "host/apps/runtime/host_config.hpp"
#include "host/apps/runtime/http_section.hpp"
#include "host/apps/runtime/listeners.hpp"
#include "host/apps/runtime/watchdog.hpp"
#include "host/base/file.hpp"
#include "host/http/engine/epoll_engine.hpp"
#include "host/services/clock.hpp"
#include "host/services/config.hpp"
#include "host/services/health.hpp"
#include "host/services/info.hpp"
#include "host/services/log.hpp"
#include "host/services/metrics.hpp"
#include "host/services/stream_service.hpp"

namespace plexsphere::host::apps {
namespace {

using Clock = std::chrono::steady_clock;

// For handlers to leave after their connections were cut.
constexpr std::chrono::milliseconds kAfterForce{500};

// For the log to be written before the address is.
constexpr std::chrono::milliseconds kForLog{200};

// For clients to take the hint when to come back; requests under way go on meanwhile.
constexpr std::chrono::milliseconds kForStreams{3'000};

template <typename Port>
const Port* port_as(const loader::PluginManager& plugins, const char* name) {
  return reinterpret_cast<const Port*>(plugins.port(name));
}

void wait_for(std::stop_token stop) {
  std::mutex mutex;
  std::condition_variable_any wake;
  std::unique_lock lock(mutex);
  wake.wait(lock, stop, [] { return false; });
}

}  // namespace

Runtime::Runtime(const Profile& profile, const Config& config,
                 const config::Configuration& configuration, telemetry::Logger& log)
    : profile_(profile),
      config_(config),
      configuration_(configuration),
      log_(log),
      readiness_(health_),
      engine_metrics_(metrics_),
      tls_(log_, metrics_),
      host_{log_, metrics_, health_, profile.service},
      plugins_(manager_options(configuration, profile.load_policy), host_, states_),
      router_(log_, metrics_, router_options(configuration)) {}

Runtime::~Runtime() {
  if (config_.reloads) {
    config_.reloads->clear();
  }
}

int Runtime::run(std::stop_token stop) {
  const Status up = bring_up();
  if (!up) {
    log_.error("start.failed", {{"code", code_name(up.code())}, {"detail", up.message()}});
    health_.drain();
    close_engine();
    shut_plugins();
    return kExitFailed;
  }
  wait_for(std::move(stop));
  return drain();
}

Status Runtime::failed(const config::Issues& issues) {
  for (const auto& issue : issues) {
    log_.error("config.invalid", {{"detail", issue.text()}});
  }
  return {Code::kInvalidArgument, issues.front().text()};
}

Status Runtime::bring_up() {
  const auto& owner = configuration_.section("plugins");
  if (owner.integer("trusted_owner") != 0) {
    log_.warn("plugins.trusted_owner",
              {{"uid", owner.integer("trusted_owner")},
               {"detail", "plugins of this user are run; leave it out in production"}});
  }
  if (const auto issues = plugins_.discover(configuration_); !issues.empty()) {
    return failed(issues);
  }
  if (auto status = load_certificate(); !status) {
    return status;
  }
  if (auto status = make_services(); !status) {
    return status;
  }
  if (auto status = plugins_.start(providers_, *router_service_); !status) {
    return status;
  }
  for (const auto& provider : providers_) {
    provider->started();
  }
  if (auto status = mount_routes(); !status) {
    return status;
  }
  readiness_.begin();
  return open_engine();
}

Status Runtime::load_certificate() {
  if (const auto files = certificate_files(configuration_)) {
    if (auto status = tls_.load(*files); !status) {
      return status;
    }
  }
  if (config_.reloads) {
    config_.reloads->set([this] { tls_.reload(); });
  }
  return {};
}

Status Runtime::make_services() {
  providers_.push_back(services::make_log_service(host_));
  providers_.push_back(services::make_metrics_service(host_));
  providers_.push_back(services::make_health_service(host_));
  providers_.push_back(services::make_config_service());
  providers_.push_back(services::make_clock_service());
  providers_.push_back(services::make_info_service(states_));
  auto router = services::make_router_service();
  router_service_ = router.get();
  providers_.push_back(std::move(router));
  if (profile_.streams) {
    hub_ = std::make_unique<http::StreamHub>(log_, metrics_, hub_options(configuration_));
    providers_.push_back(services::make_stream_service(host_, *hub_));
  }
  if (profile_.extension.make) {
    auto more = profile_.extension.make(configuration_, host_);
    if (!more) {
      return more.status();
    }
    for (auto& provider : *more) {
      providers_.push_back(std::move(provider));
    }
  }
  for (const auto& provider : providers_) {
    if (auto status = provider->prepare(); !status) {
      return status;
    }
  }
  return {};
}

Status Runtime::mount_routes() {
  for (auto& route : host_routes(readiness_, metrics_, [this] { refresh_metrics(); })) {
    if (auto status = router_.add(std::move(route)); !status) {
      return status;
    }
  }
  if (auto status = plugins_.mount(router_); !status) {
    return status;
  }
  router_.set_ports({port_as<px_authn>(plugins_, "px.authn/1"),
                     port_as<px_authz>(plugins_, "px.authz/1"),
                     port_as<px_audit>(plugins_, "px.audit/1")});
  return {};
}

void Runtime::refresh_metrics() {
  engine_metrics_.update(engine_->figures(), hub_ ? hub_->subscribers() : 0);
}

// More connections than descriptors would end in accepts that fail.
void Runtime::fit_descriptors(http::EngineOptions& options) {
  const auto limit = raise_descriptor_limit();
  if (!limit) {
    log_.warn("http.descriptor_limit", {{"detail", limit.status().message()}});
    return;
  }
  const std::size_t most = connections_within(*limit);
  if (options.max_connections <= most) {
    return;
  }
  log_.warn("http.descriptor_limit",
            {{"max_connections", options.max_connections},
             {"descriptors", *limit},
             {"reserved", kReservedDescriptors},
             {"connections", most},
             {"remedy", "raise LimitNOFILE= of the service, or lower [http] max_connections"}});
  options.max_connections = most;
}

Status Runtime::open_engine() {
  auto options = engine_options(configuration_);
  options.certificates = tls_.certificates();
  fit_descriptors(options);
  engine_ = http::make_epoll_engine(router_, std::move(options));
  const auto addresses = listen_addresses(configuration_, config_.addr);
  if (auto status = open_listeners(*engine_, config_.sockets, addresses, log_); !status) {
    return status;
  }
  return write_address();
}

Status Runtime::write_address() {
  (void)log_.flush(kForLog);  // whoever waits for the address may read the log next
  const auto bound = engine_->addresses();
  if (config_.addr_file.empty() || bound.empty()) {
    return {};
  }
  return write_file_atomically(config_.addr_file, bound.front());
}

void Runtime::drain_streams(Clock::time_point deadline) {
  if (hub_ && !hub_->drain(std::min(deadline, Clock::now() + kForStreams))) {
    log_.warn("drain.streams_cut",
              {{"streams", hub_->subscribers()},
               {"detail", "these did not take the hint to reconnect in time"}});
  }
}

// After a start that failed: the engine may serve already.
void Runtime::close_engine() {
  if (engine_) {
    engine_->stop_accepting();
    engine_->force_close();
    (void)engine_->wait_idle(Clock::now() + kAfterForce);
  }
}

void Runtime::shut_plugins() {
  plugins_.stop();
  for (auto provider = providers_.rbegin(); provider != providers_.rend(); ++provider) {
    (*provider)->stopped();
  }
}

int Runtime::drain() {
  const auto grace = config_.shutdown_grace.count() > 0 ? config_.shutdown_grace : kDefaultGrace;
  const auto deadline = Clock::now() + grace;
  const Watchdog watchdog(deadline + std::chrono::seconds(2), log_);
  health_.drain();
  engine_->discourage();
  // Half of the grace at most, so that something is left for requests and plugins.
  const auto delay = std::min(configuration_.section("http").duration("drain_delay"), grace / 2);
  log_.info("drain.started", {{"grace_ms", grace.count()}, {"drain_delay_ms", delay.count()}});
  std::this_thread::sleep_for(delay);
  engine_->stop_accepting();
  log_.info("drain.listener_closed", {{"in_flight", engine_->figures().in_flight}});
  drain_streams(deadline);
  if (!engine_->wait_idle(deadline)) {
    log_.error("drain.forced", {{"in_flight", engine_->figures().in_flight}});
    engine_->force_close();
    if (!engine_->wait_idle(Clock::now() + kAfterForce)) {
      return kExitForced;  // a handler never came back: its plugin cannot be stopped under it
    }
    shut_plugins();
    return kExitForced;
  }
  for (const auto& provider : providers_) {
    provider->draining(deadline);
  }
  plugins_.drain(deadline);
  shut_plugins();
  const bool late = Clock::now() > deadline;
  log_.info("drain.finished", {{"forced", late}});
  return late ? kExitForced : kExitClean;
}

std::vector<std::string> check_plugins(const Profile& profile,
                                       const config::Configuration& configuration,
                                       telemetry::Logger& log) {
  telemetry::Metrics metrics;
  health::Registry health;
  HostContext host{log, metrics, health, profile.service};
  PluginStates states;
  loader::PluginManager plugins(manager_options(configuration, profile.load_policy), host, states);
  std::vector<std::string> problems;
  for (const auto& issue : plugins.discover(configuration)) {
    problems.push_back(issue.text());
  }
  return problems.empty() ? plugins.validate({}) : problems;
}

}  // namespace plexsphere::host::apps
