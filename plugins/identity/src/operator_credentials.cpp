#include "operator_credentials.hpp"

#include "http/admin_token_routes.hpp"
#include "http/api_token_routes.hpp"
#include "http/service_routes.hpp"
#include "http/whoami_route.hpp"

namespace plexsphere::identity {
namespace {

constexpr std::string_view kSweepJob = "operator-credential-sweep";
constexpr std::string_view kBreakGlassJob = "break-glass-audit";
constexpr std::chrono::seconds kBreakGlassInterval{5};

// Text of a key that may be left out.
std::string text_or_empty(const sdk::Config& config, std::string_view key) {
  auto value = config.string(key);
  return value.ok() ? std::move(*value) : std::string{};
}

template <typename Wrapper>
void take(const sdk::Host& host, Wrapper& out, sdk::Status& status) {
  auto found = host.get<Wrapper>();
  if (found.ok()) {
    out = *found;
  } else if (status.ok()) {
    status = found.error();
  }
}

}  // namespace

sdk::Status OperatorCredentials::validate(const sdk::Config& config) {
  const bool file = !text_or_empty(config, "spiffe_bundle_file").empty();
  const std::string domain = text_or_empty(config, "spiffe_trust_domain");
  if (file != !domain.empty()) {
    return sdk::Error{
        sdk::Code::invalid_argument, "spiffe_settings",
        "spiffe_bundle_file and spiffe_trust_domain belong together: a bundle is good "
        "for one trust domain. Set both or neither."};
  }
  if (file && !valid_trust_domain(domain)) {
    return sdk::Error{
        sdk::Code::invalid_argument, "spiffe_trust_domain",
        "spiffe_trust_domain takes lower-case letters, digits, '.', '-' and '_', not '" + domain +
            "'; write it without spiffe://."};
  }
  return {};
}

sdk::Status OperatorCredentials::fetch(const sdk::Host& host) {
  sdk::Status status;
  take(host, ports_.store, status);
  take(host, ports_.outbox, status);
  take(host, ports_.clock, status);
  take(host, ports_.audit, status);
  take(host, ports_.authz, status);
  take(host, ports_.tenancy, status);
  take(host, ports_.seal, status);
  take(host, log_, status);
  take(host, verify_, status);
  take(host, jobs_, status);
  take(host, router_, status);
  take(host, config_, status);
  take(host, metrics_, status);
  return status;
}

sdk::Result<OperatorCredentials::Settings> OperatorCredentials::read_settings(
    const sdk::Config& config) {
  Settings out;
  sdk::Status status;
  const auto keep = [&status](auto value) {
    if (!value.ok() && status.ok()) {
      status = value.error();
    }
    return value.ok() ? *value : decltype(*value + *value){};
  };
  out.tokens.default_ttl = keep(config.duration("api_token_default_ttl"));
  out.tokens.longest_ttl = keep(config.duration("api_token_longest_ttl"));
  out.tokens.rotation_grace = keep(config.duration("api_token_rotation_grace"));
  out.tokens.keep_ended = keep(config.duration("api_token_keep_ended"));
  out.tokens.most_live = keep(config.integer("api_token_limit"));
  out.tokens_a_minute = keep(config.integer("api_token_rate"));
  out.tokens_at_once = keep(config.integer("api_token_burst"));
  out.sign_in.access_token_ttl = keep(config.duration("service_access_token_ttl"));
  out.sign_in.most_live = keep(config.integer("service_access_token_limit"));
  out.check_capacity = static_cast<std::size_t>(keep(config.integer("admin_check_capacity")));
  out.sweep_interval = keep(config.duration("token_sweep_interval"));
  out.bundle_file = text_or_empty(config, "spiffe_bundle_file");
  out.trust_domain = text_or_empty(config, "spiffe_trust_domain");
  return status.ok() ? sdk::Result<Settings>(std::move(out))
                     : sdk::Result<Settings>(status.error());
}

sdk::Status OperatorCredentials::configure(const sdk::Host& host) {
  if (auto fetched = fetch(host); !fetched.ok()) {
    return fetched;
  }
  const auto settings = read_settings(config_);
  if (!settings.ok()) {
    return settings.error();
  }
  if (auto declared = declare(); !declared.ok()) {
    return declared;
  }
  make_services(*settings);
  if (auto resolved = resolve_residency(); !resolved.ok()) {
    return resolved;
  }
  if (auto added = add_routes(); !added.ok()) {
    return added;
  }
  return add_jobs(*settings);
}

sdk::Status OperatorCredentials::declare() {
  if (auto declared = operators_.declare(ports_.store); !declared.ok()) {
    return declared;
  }
  if (auto declared = made_outside_.declare(ports_.store); !declared.ok()) {
    return declared;
  }
  if (auto declared = tokens_.declare(ports_.store); !declared.ok()) {
    return declared;
  }
  return identities_.declare(ports_.store);
}

sdk::Status OperatorCredentials::add_jobs(const Settings& settings) {
  auto added = jobs_.add(kSweepJob, settings.sweep_interval, ports_.store.wire(),
                         [this](const sdk::JobRun& run) { return token_service_->sweep(run); });
  if (!added.ok()) {
    return added;
  }
  return jobs_.add(kBreakGlassJob, kBreakGlassInterval, ports_.store.wire(),
                   [this](const sdk::JobRun& run) { return break_glass_->run(run); });
}

void OperatorCredentials::make_services(const Settings& settings) {
  uses_ = std::make_unique<LastUse>(
      [this](std::span<const TokenUse> uses) { return operators_.record_uses(uses); }, log_);
  break_glass_ =
      std::make_unique<BreakGlass>(made_outside_, ports_.store, ports_.clock, ports_.audit, log_);
  authentication_ =
      std::make_unique<OperatorAuthentication>(operators_, *break_glass_, *uses_, ports_.clock);
  gate_ = std::make_unique<RelationGate>(ports_.authz, ports_.audit, settings.check_capacity);
  bundle_ = std::make_unique<TrustBundle>(settings.bundle_file, settings.trust_domain, ports_.clock,
                                          log_);
  token_service_ = std::make_unique<ApiTokenService>(
      ApiTokenPorts{ports_.store, ports_.outbox, ports_.clock, ports_.audit}, tokens_,
      settings.tokens, [this](const sdk::Uuid& id) { authentication_->forget(id); });
  minting_ = std::make_unique<MintRate>(settings.tokens_a_minute, settings.tokens_at_once);
  identity_service_ = std::make_unique<ServiceIdentities>(ports_, identities_);
  sign_in_ = std::make_unique<ServiceSignIn>(
      SignInPorts{ports_.store, ports_.outbox, ports_.clock, log_, ports_.audit, verify_},
      identities_, *authentication_, *bundle_, settings.sign_in);
}

// Whose chain decisions about a service identity belong to.
sdk::Status OperatorCredentials::resolve_residency() {
  using Ids = sdk::Result<std::vector<sdk::Uuid>>;
  return ports_.audit.resolve_with("service-identity", [this](std::string_view id) -> Ids {
    auto found = identities_.domain_of(sdk::Uuid::parse(id).value_or(sdk::Uuid{}));
    if (!found.ok()) {
      return found.error();
    }
    return found->is_zero() ? std::vector<sdk::Uuid>{} : std::vector{*found};
  });
}

sdk::Status OperatorCredentials::add_routes() {
  auto refused = metrics_.counter("plexsphere_identity_api_token_rate_limited_total",
                                  "Requests for API tokens answered 429 rate_limited");
  if (!refused.ok()) {
    return refused.error();
  }
  const MintGate minting(*minting_, ports_.clock, *refused);
  if (auto added = add_api_token_routes(router_, *token_service_, minting); !added.ok()) {
    return added;
  }
  if (auto added = add_admin_token_routes(router_, *token_service_, *gate_, minting); !added.ok()) {
    return added;
  }
  if (auto added = add_service_routes(router_, *identity_service_, *sign_in_); !added.ok()) {
    return added;
  }
  return add_whoami_routes(router_, operators_);
}

void OperatorCredentials::start() {
  gate_->start();
  uses_->start();
}

void OperatorCredentials::stop() {
  if (gate_) {
    gate_->stop();
  }
  if (uses_) {
    uses_->stop();
  }
}

}  // namespace plexsphere::identity
