// identity: operators' and Nodes' credentials, bootstrap tokens, registration, Nodes.
#include <sodium.h>

#include <memory>
#include <thread>

#include "app/authentication.hpp"
#include "app/deregistration.hpp"
#include "app/lanes.hpp"
#include "app/nodes_port.hpp"
#include "app/registration.hpp"
#include "app/rewrap.hpp"
#include "app/token_service.hpp"
#include "http/deregister_routes.hpp"
#include "http/node_routes.hpp"
#include "http/register_route.hpp"
#include "http/rewrap_routes.hpp"
#include "http/token_routes.hpp"
#include "operator_credentials.hpp"
#include "plexsphere/sdk/jobs.hpp"
#include "plexsphere/sdk/plugin.hpp"

namespace plexsphere::identity {
namespace {

constexpr std::string_view kRewrapJob = "nsk-rewrap";

// Fetches services until the first that is missing, and remembers which.
class Fetcher {
 public:
  explicit Fetcher(const sdk::Host& host) : host_(host) {}

  template <typename Wrapper>
  Fetcher& get(Wrapper& out) {
    if (status_.ok()) {
      auto found = host_.get<Wrapper>();
      if (found.ok()) {
        out = *found;
      } else {
        status_ = found.error();
      }
    }
    return *this;
  }
  sdk::Status status() const { return status_; }

 private:
  const sdk::Host& host_;
  sdk::Status status_;
};

// The first refusal of several steps.
sdk::Status all_of(std::initializer_list<std::function<sdk::Status()>> steps) {
  for (const auto& step : steps) {
    if (auto done = step(); !done.ok()) {
      return done;
    }
  }
  return {};
}

struct Settings {
  std::uint64_t memory_kib = 0;
  std::uint64_t passes = 0;
  std::size_t proof_threads = 0;
  std::size_t change_threads = 0;
  std::size_t capacity = 0;
  std::int64_t tag_key_version = 0;
  std::chrono::milliseconds sweep_interval{};
  RewrapSettings rewrap;
  std::chrono::milliseconds rewrap_interval{};
};

sdk::Result<Settings> read_settings(const sdk::Config& config) {
  Settings out;
  sdk::Status status;
  const auto number = [&](std::string_view key) -> std::int64_t {
    auto value = config.integer(key);
    if (!value.ok() && status.ok()) {
      status = value.error();
    }
    return value.ok() ? *value : 0;
  };
  out.memory_kib = static_cast<std::uint64_t>(number("argon2_memory_kib"));
  out.passes = static_cast<std::uint64_t>(number("argon2_passes"));
  out.proof_threads = static_cast<std::size_t>(number("argon2_concurrency"));
  out.change_threads = static_cast<std::size_t>(number("registration_workers"));
  out.capacity = static_cast<std::size_t>(number("registration_capacity"));
  out.tag_key_version = number("token_tag_key_version");
  const auto duration = [&](std::string_view key) -> std::chrono::milliseconds {
    auto value = config.duration(key);
    if (!value.ok() && status.ok()) {
      status = value.error();
    }
    return value.ok() ? *value : std::chrono::milliseconds{};
  };
  out.sweep_interval = duration("token_sweep_interval");
  out.rewrap.batch = number("nsk_rewrap_batch");
  out.rewrap.rest = duration("nsk_rewrap_rest");
  out.rewrap_interval = duration("nsk_rewrap_interval");
  if (!status.ok()) {
    return status.error();
  }
  if (out.proof_threads == 0) {
    out.proof_threads = std::max(1U, std::thread::hardware_concurrency());
  }
  return out;
}

}  // namespace

class IdentityPlugin final : public sdk::Plugin {
 public:
  static sdk::Status validate(const sdk::Config& config) {
    return OperatorCredentials::validate(config);
  }
  sdk::Status configure(const sdk::Host& host) override;
  sdk::Status start() override;
  sdk::Status drain(std::chrono::milliseconds deadline) override;
  void stop() override;

 private:
  sdk::Status make_services(const Settings& settings);
  sdk::Result<RegistrationOutcomes> count_outcomes() const;
  sdk::Status provide_ports(const sdk::Host& host);
  sdk::Status add_routes();
  sdk::Status resolve_residency();
  sdk::Status sweep(const sdk::JobRun& run);

  RegistrationPorts ports_;
  sdk::Jobs jobs_;
  sdk::Router router_;
  sdk::Config config_;
  sdk::Metrics metrics_;

  TokenStore tokens_;
  NodeStore nodes_;
  OperatorCredentials credentials_;
  RewrapStore rewraps_;
  TagKeyStore tag_key_versions_;

  Settings settings_;
  sdk::CursorCodec cursors_;
  std::unique_ptr<TokenCodec> codec_;
  std::unique_ptr<TagKeys> tag_keys_;
  std::unique_ptr<PasswordHash> hash_;
  std::unique_ptr<Lanes> lanes_;
  std::unique_ptr<TokenService> token_service_;
  std::unique_ptr<Registration> registration_;
  std::unique_ptr<Authentication> authentication_;
  std::unique_ptr<NodesPort> nodes_port_;
  std::unique_ptr<Deregistration> deregistration_;
  std::unique_ptr<Rewrap> rewrap_;
};

sdk::Status IdentityPlugin::configure(const sdk::Host& host) {
  if (sodium_init() < 0) {
    return sdk::Error{sdk::Code::internal, "sodium_init", "libsodium could not be initialised."};
  }
  auto fetched = Fetcher(host)
                     .get(ports_.store)
                     .get(ports_.outbox)
                     .get(ports_.seal)
                     .get(ports_.clock)
                     .get(ports_.log)
                     .get(ports_.audit)
                     .get(ports_.authz)
                     .get(ports_.tenancy)
                     .get(ports_.signing)
                     .get(ports_.ipam)
                     .get(ports_.peers)
                     .get(jobs_)
                     .get(router_)
                     .get(config_)
                     .get(metrics_)
                     .status();
  if (!fetched.ok()) {
    return fetched;
  }
  auto settings = read_settings(config_);
  if (!settings.ok()) {
    return settings.error();
  }
  settings_ = *settings;
  return all_of(
      {[&] { return tokens_.declare(ports_.store); }, [&] { return nodes_.declare(ports_.store); },
       [&] { return tag_key_versions_.declare(ports_.store); },
       [&] { return credentials_.configure(host); }, [&] { return rewraps_.declare(ports_.store); },
       [&] { return make_services(settings_); }, [&] { return provide_ports(host); },
       [&] { return resolve_residency(); }, [&] { return add_routes(); },
       [&] {
         return jobs_.add("bootstrap-token-sweep", settings_.sweep_interval, ports_.store.wire(),
                          [this](const sdk::JobRun& run) { return sweep(run); });
       },
       [&] {
         return jobs_.add(kRewrapJob, settings_.rewrap_interval, ports_.store.wire(),
                          [this](const sdk::JobRun& run) { return rewrap_->run(run); });
       }});
}

sdk::Status IdentityPlugin::make_services(const Settings& settings) {
  const auto tag_key = [&](std::int64_t version) {
    return ports_.seal.derive_key("bootstrap-token-tag/" + std::to_string(version));
  };
  auto current = tag_key(settings.tag_key_version);
  auto next = tag_key(settings.tag_key_version + 1);
  auto cursor = ports_.seal.derive_key("cursor");
  auto outcomes = count_outcomes();
  if (!outcomes.ok()) {
    return outcomes.error();
  }
  for (const auto* derived : {&current, &next, &cursor}) {
    if (!derived->ok()) {
      return derived->error();
    }
  }
  std::optional<sdk::Secret> previous;
  if (settings.tag_key_version > 1) {
    auto key = tag_key(settings.tag_key_version - 1);
    if (!key.ok()) {
      return key.error();
    }
    previous = std::move(*key);
  }
  cursors_ = sdk::CursorCodec(std::move(*cursor));
  codec_ = std::make_unique<TokenCodec>(std::move(*current), std::move(previous), std::move(*next));
  tag_keys_ = std::make_unique<TagKeys>(tag_key_versions_, settings.tag_key_version, ports_.clock);
  hash_ = std::make_unique<PasswordHash>(settings.memory_kib, settings.passes);
  lanes_ = std::make_unique<Lanes>(settings.capacity);
  token_service_ = std::make_unique<TokenService>(
      TokenServicePorts{ports_.store, ports_.clock, ports_.audit, ports_.authz, ports_.tenancy},
      tokens_, *codec_, *hash_, *lanes_);
  registration_ = std::make_unique<Registration>(ports_, tokens_, nodes_, *codec_, *tag_keys_,
                                                 *lanes_, *outcomes);
  authentication_ =
      std::make_unique<Authentication>(nodes_, credentials_.authentication(), ports_.clock);
  nodes_port_ = std::make_unique<NodesPort>(nodes_);
  deregistration_ = std::make_unique<Deregistration>(
      DeregistrationPorts{ports_.store, ports_.outbox, ports_.clock, ports_.log, ports_.audit,
                          ports_.authz, ports_.ipam},
      nodes_, [this](const sdk::Uuid& node_id) { authentication_->forget_node(node_id); });
  rewrap_ = std::make_unique<Rewrap>(RewrapPorts{ports_.store, ports_.seal, ports_.clock,
                                                 ports_.log, ports_.audit, ports_.tenancy},
                                     rewraps_, settings.rewrap, [this] { jobs_.wake(kRewrapJob); });
  return {};
}

sdk::Result<RegistrationOutcomes> IdentityPlugin::count_outcomes() const {
  RegistrationOutcomes out;
  for (const auto& [outcome, metric] :
       {std::pair("enrolled", &out.enrolled), {"refused", &out.refused}, {"failed", &out.failed}}) {
    auto counter = metrics_.counter("plexsphere_identity_registrations_total",
                                    "Registrations with a well-formed key, by how they ended",
                                    {{"outcome", outcome}});
    if (!counter.ok()) {
      return counter.error();
    }
    *metric = *counter;
  }
  return out;
}

sdk::Status IdentityPlugin::provide_ports(const sdk::Host& host) {
  if (auto given = host.provide("px.authn/1", authentication_->table()); !given.ok()) {
    return given;
  }
  return host.provide("px.nodes/1", nodes_port_->table());
}

// Whose chain a Node or a token belongs to.
sdk::Status IdentityPlugin::resolve_residency() {
  using Ids = sdk::Result<std::vector<sdk::Uuid>>;
  auto nodes = ports_.audit.resolve_with("node", [this](std::string_view id) -> Ids {
    auto found = nodes_.find(sdk::Uuid::parse(id).value_or(sdk::Uuid{}));
    if (!found.ok()) {
      return found.error().code == sdk::Code::not_found ? Ids(std::vector<sdk::Uuid>{})
                                                        : Ids(found.error());
    }
    return std::vector{found->domain_id};
  });
  if (!nodes.ok()) {
    return nodes;
  }
  return ports_.audit.resolve_with("bootstrap_token", [this](std::string_view id) -> Ids {
    auto found = tokens_.domain_of(sdk::Uuid::parse(id).value_or(sdk::Uuid{}));
    if (!found.ok()) {
      return found.error();
    }
    return found->is_zero() ? std::vector<sdk::Uuid>{} : std::vector{*found};
  });
}

sdk::Status IdentityPlugin::add_routes() {
  return all_of(
      {[&] { return add_register_route(router_, *registration_); },
       [&] { return add_token_routes(router_, *token_service_, cursors_, ports_.authz); },
       [&] { return add_node_routes(router_, nodes_, cursors_, ports_.authz, ports_.audit); },
       [&] { return add_deregister_routes(router_, *deregistration_); },
       [&] { return add_rewrap_routes(router_, *rewrap_, cursors_); }});
}

sdk::Status IdentityPlugin::sweep(const sdk::JobRun& run) {
  if (auto noted = tag_keys_->note(run); !noted.ok()) {
    return noted;
  }
  return token_service_->sweep(run);
}

sdk::Status IdentityPlugin::start() {
  // Argon2id keeps every core busy for as long as tokens come. Whoever holds a Domain's locks, and
  // whoever only wants a heartbeat answered, must not wait for the processor behind it.
  lanes_->proof.start(settings_.proof_threads, 10);
  lanes_->change.start(settings_.change_threads);
  credentials_.start();
  return {};
}

// Requests have finished by now, so the lanes are empty, or soon are.
sdk::Status IdentityPlugin::drain(std::chrono::milliseconds) {
  return {};
}

void IdentityPlugin::stop() {
  credentials_.stop();
  if (lanes_) {
    lanes_->proof.stop();
    lanes_->change.stop();
  }
}

}  // namespace plexsphere::identity

PLEXSPHERE_PLUGIN(plexsphere::identity::IdentityPlugin, "identity", "0.1.0");
