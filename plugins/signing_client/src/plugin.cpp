// The signing_client plugin: opens the channel, offers px.signing/1, closes rotations when due.
#include <memory>
#include <string>

#include "app/key_service.hpp"
#include "app/signing_port.hpp"
#include "plexsphere/sdk/jobs.hpp"
#include "plexsphere/sdk/plugin.hpp"
#include "plexsphere/sdk/ports/signing.hpp"
#include "rpc/grpc_log.hpp"
#include "rpc/signer_channel.hpp"
#include "store/key_set_store.hpp"

namespace plexsphere::signing_client {
namespace {

constexpr std::chrono::seconds kClosePeriod{60};
// Enough for an idle channel to reconnect; a signer that is away must not slow /readyz down.
constexpr std::chrono::milliseconds kProbeWait{100};

std::string text_of(const sdk::Config& config, std::string_view key) {
  const auto value = config.string(key);
  return value.ok() ? *value : std::string();
}

sdk::Result<ChannelSettings> settings_of(const sdk::Config& config) {
  const auto deadline = config.duration("deadline");
  if (!deadline.ok()) {
    return deadline.error();
  }
  ChannelSettings settings{text_of(config, "target"), text_of(config, "tls_ca"),
                           text_of(config, "tls_cert"), text_of(config, "tls_key"), *deadline};
  if (sdk::Status good = check_settings(settings); !good.ok()) {
    return good.error();
  }
  return settings;
}

// The one port of this process; it outlives the plugin, as every table must.
SigningPort& port() {
  static auto* instance = new SigningPort();
  return *instance;
}

}  // namespace

class SigningClientPlugin final : public sdk::Plugin {
 public:
  static sdk::Status validate(const sdk::Config& config) {
    const auto settings = settings_of(config);
    return settings.ok() ? sdk::Status() : settings.error();
  }

  sdk::Status configure(const sdk::Host& host) override {
    const auto config = host.get<sdk::Config>();
    const auto store = host.get<sdk::Store>();
    const auto jobs = host.get<sdk::Jobs>();
    const auto health = host.get<sdk::Health>();
    const auto audit = host.get<sdk::Audit>();
    const auto clock = host.get<sdk::Clock>();
    const auto log = host.get<sdk::Log>();
    for (const sdk::Error* missing : {fault(config), fault(store), fault(jobs), fault(health),
                                      fault(audit), fault(clock), fault(log)}) {
      if (missing != nullptr) {
        return *missing;
      }
    }
    auto settings = settings_of(*config);
    auto cache = config->duration("cache");
    auto declared = KeySetStore::declare(*store);
    auto channel = settings.ok() ? SignerChannel::open(*settings)
                                 : sdk::Result<std::unique_ptr<SignerChannel>>(settings.error());
    for (const sdk::Error* failed : {fault(cache), fault(declared), fault(channel)}) {
      if (failed != nullptr) {
        return *failed;
      }
    }
    store_.emplace(std::move(*declared));
    channel_ = std::move(*channel);
    service_ = std::make_unique<KeyService>(
        KeyServiceParts{*channel_, *store_, *audit, *clock, *log, *cache});
    log_ = *log;
    clock_ = *clock;
    if (sdk::Status status = watch(*health, *jobs, *store); !status.ok()) {
      return status;
    }
    return host.provide(sdk::Signing::kName, port().table());
  }

  sdk::Status start() override {
    route_grpc_log([log = log_](std::string_view text) {
      log.error("signing_grpc_error", {{"detail", std::string(text)}});
    });
    port().open(*service_);
    return {};
  }

  void stop() override {
    port().close();
    if (channel_) {
      channel_->shut_down();
    }
    if (service_) {
      service_->stop();
    }
  }

 private:
  template <class T>
  static const sdk::Error* fault(const sdk::Result<T>& result) {
    return result.ok() ? nullptr : &result.error();
  }

  sdk::Status watch(const sdk::Health& health, const sdk::Jobs& jobs, const sdk::Store& store) {
    sdk::Status probe =
        health.register_probe("signer", PX_PROBE_INFORMATIONAL, std::chrono::seconds(2), [this] {
          return channel_->wait_connected(kProbeWait)
                     ? sdk::ProbeResult{PX_HEALTH_OK, ""}
                     : sdk::ProbeResult{PX_HEALTH_DEGRADED,
                                        "the signer does not answer; what needs a fresh signature "
                                        "answers 503 signing_unavailable"};
        });
    if (!probe.ok()) {
      return probe;
    }
    return jobs.add("close_rotations", kClosePeriod, store.wire(),
                    [this](const sdk::JobRun& run) { return close_due(run); });
  }

  // Closing is the signer's act and asynchronous; the next run sees what came of it. Without the
  // signer nothing is tried, and so nothing is put on the audit record over and over.
  sdk::Status close_due(const sdk::JobRun& run) {
    if (!channel_->wait_connected(kProbeWait)) {
      return {};
    }
    auto tx = run.begin();
    if (!tx.ok()) {
      return tx.error();
    }
    const auto scopes = store_->due(*tx, clock_.now());
    if (!scopes.ok()) {
      return scopes.error();
    }
    for (const std::string& scope : *scopes) {
      service_->close_rotation(scope, [log = log_, scope](const sdk::Result<KeyView>& key) {
        if (key.ok()) {
          log.info("signing_rotation_closed", {{"scope", scope}, {"key_id", key->key_id}});
        } else {
          log.warn("signing_rotation_not_closed",
                   {{"scope", scope}, {"reason", key.error().reason}});
        }
      });
    }
    return tx->commit();
  }

  std::optional<KeySetStore> store_;
  std::unique_ptr<SignerChannel> channel_;
  std::unique_ptr<KeyService> service_;
  sdk::Log log_;
  sdk::Clock clock_;
};

}  // namespace plexsphere::signing_client

PLEXSPHERE_PLUGIN(plexsphere::signing_client::SigningClientPlugin, "signing_client", "0.1.0");
