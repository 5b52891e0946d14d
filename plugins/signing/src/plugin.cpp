// The signing plugin: reads its configuration, opens the seed and the memory, listens.
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <memory>
#include <mutex>
#include <string>

#include "app/signer.hpp"
#include "plexsphere/sdk/plugin.hpp"
#include "provider/software_provider.hpp"
#include "rpc/grpc_log.hpp"
#include "rpc/grpc_server.hpp"
#include "store/file_journal.hpp"
#include "store/file_memory.hpp"

namespace plexsphere::signing {
namespace {

sdk::Error error_of(const Fault& fault, std::string_view reason) {
  return {static_cast<sdk::Code>(canonical_code(fault.kind)), std::string(reason), fault.cause};
}

sdk::Error bad_config(const Fault& fault) {
  return {sdk::Code::invalid_argument, "bad_configuration", "[context.signing] " + fault.cause};
}

// A key without value and default reads as empty: which keys are needed depends on `listen`.
std::string text_of(const sdk::Config& config, std::string_view key) {
  const auto value = config.string(key);
  return value.ok() ? *value : std::string();
}

std::vector<std::string> list_of(const sdk::Config& config, std::string_view key) {
  const auto value = config.list(key);
  return value.ok() ? *value : std::vector<std::string>();
}

Outcome<Endpoint> endpoint_of(const sdk::Config& config) {
  return parse_endpoint({text_of(config, "listen"), list_of(config, "allowed_uids"),
                         text_of(config, "tls_cert"), text_of(config, "tls_key"),
                         text_of(config, "tls_client_ca"), list_of(config, "allowed_peers")},
                        geteuid());
}

sdk::Result<SignerSettings> settings_of(const sdk::Config& config) {
  const Outcome<Profile> profile = parse_profile(text_of(config, "profile"));
  if (!profile.ok()) {
    return bad_config(profile.fault());
  }
  const auto overlap = config.duration("overlap_window");
  const auto adopt = config.boolean("adopt");
  if (!overlap.ok() || !adopt.ok()) {
    return overlap.ok() ? adopt.error() : overlap.error();
  }
  return SignerSettings{profile.value(), std::chrono::duration_cast<std::chrono::seconds>(*overlap),
                        *adopt};
}

// Private keys must not end up in a core file or be read by a debugger of the same user.
sdk::Status forbid_dumps() {
  const rlimit none{0, 0};
  if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 || setrlimit(RLIMIT_CORE, &none) != 0) {
    return sdk::Error{sdk::Code::internal, "dumps_not_forbidden",
                      "core dumps could not be switched off for this process"};
  }
  return {};
}

}  // namespace

class SigningPlugin final : public sdk::Plugin {
 public:
  SigningPlugin() : dumps_forbidden_(forbid_dumps()) {}

  static sdk::Status validate(const sdk::Config& config) {
    if (const Outcome<Endpoint> endpoint = endpoint_of(config); !endpoint.ok()) {
      return bad_config(endpoint.fault());
    }
    const auto settings = settings_of(config);
    return settings.ok() ? sdk::Status() : settings.error();
  }

  sdk::Status configure(const sdk::Host& host) override {
    if (!dumps_forbidden_.ok()) {
      return dumps_forbidden_;
    }
    const auto config = host.get<sdk::Config>();
    const auto log = host.get<sdk::Log>();
    const auto clock = host.get<sdk::Clock>();
    const auto health = host.get<sdk::Health>();
    for (const sdk::Error* missing :
         {config.ok() ? nullptr : &config.error(), log.ok() ? nullptr : &log.error(),
          clock.ok() ? nullptr : &clock.error(), health.ok() ? nullptr : &health.error()}) {
      if (missing != nullptr) {
        return *missing;
      }
    }
    config_ = *config;
    log_ = *log;
    clock_ = *clock;
    // A signer that can record nothing answers nothing: it is not ready.
    if (sdk::Status probe =
            health->register_probe("journal", PX_PROBE_FAILING, std::chrono::seconds(2),
                                   [this] { return journal_state(); });
        !probe.ok()) {
      return probe;
    }
    // Informational: that a development provider is in use is worth showing, not worth failing.
    return health->register_probe(
        "key_provider", PX_PROBE_INFORMATIONAL, std::chrono::seconds(2), [] {
          return sdk::ProbeResult{PX_HEALTH_DEGRADED, "dev-only software key provider"};
        });
  }

  sdk::Status start() override {
    const auto settings = settings_of(config_);
    if (!settings.ok()) {
      return settings.error();
    }
    const Outcome<Endpoint> endpoint = endpoint_of(config_);
    if (!endpoint.ok()) {
      return bad_config(endpoint.fault());
    }
    route_grpc_log([log = log_](std::string_view text) {
      log.error("signing_grpc_error", {{"detail", std::string(text)}});
    });
    if (sdk::Status ready = open_signer(*settings); !ready.ok()) {
      return ready;
    }
    Outcome<std::unique_ptr<GrpcServer>> server =
        GrpcServer::start(endpoint.value(), {*signer_, *journal_, journal_clock(), notice()});
    if (!server.ok()) {
      return error_of(server.fault(), "listen_failed");
    }
    server_ = std::move(server).value();
    log_.info("signing_listening", {{"target", server_->target()}});
    return {};
  }

  sdk::Status drain(std::chrono::milliseconds deadline) override {
    if (server_) {
      server_->stop(deadline);
    }
    return {};
  }

  void stop() override {
    server_.reset();
    {
      const std::lock_guard guard(journal_lock_);
      journal_.reset();
    }
    signer_.reset();
    memory_.reset();
    provider_.reset();
  }

 private:
  sdk::Status open_signer(const SignerSettings& settings) {
    Outcome<std::unique_ptr<SoftwareProvider>> provider =
        SoftwareProvider::open(text_of(config_, "seed_file"));
    if (!provider.ok()) {
      return error_of(provider.fault(), "seed_unusable");
    }
    provider_ = std::move(provider).value();
    log_.warn("signing_software_provider",
              {{"detail", "dev-only key provider: every key is derived from the seed file"}});
    const Outcome<PublicKey> document_key = provider_->generate(document_key_name());
    if (!document_key.ok()) {
      return error_of(document_key.fault(), "seed_unusable");
    }
    Outcome<std::unique_ptr<FileMemory>> memory =
        FileMemory::open(text_of(config_, "state_directory"), document_key.value());
    if (!memory.ok()) {
      return error_of(memory.fault(), "state_unusable");
    }
    memory_ = std::move(memory).value();
    Outcome<std::unique_ptr<Signer>> signer = Signer::create(
        settings, *provider_, *memory_,
        [clock = clock_] { return std::chrono::floor<std::chrono::seconds>(clock.now()); },
        notice());
    if (!signer.ok()) {
      return error_of(signer.fault(), "seed_unusable");
    }
    signer_ = std::move(signer).value();
    Outcome<std::unique_ptr<FileJournal>> journal =
        FileJournal::open(text_of(config_, "state_directory"), notice());
    if (!journal.ok()) {
      return error_of(journal.fault(), "journal_unusable");
    }
    const std::lock_guard guard(journal_lock_);
    journal_ = std::move(journal).value();
    return {};
  }

  [[nodiscard]] std::function<std::chrono::sys_time<std::chrono::milliseconds>()> journal_clock()
      const {
    return [clock = clock_] { return std::chrono::floor<std::chrono::milliseconds>(clock.now()); };
  }

  [[nodiscard]] sdk::ProbeResult journal_state() {
    const std::lock_guard guard(journal_lock_);
    const auto trouble = journal_ ? journal_->trouble() : std::nullopt;
    return trouble ? sdk::ProbeResult{PX_HEALTH_DOWN, *trouble}
                   : sdk::ProbeResult{PX_HEALTH_OK, ""};
  }

  [[nodiscard]] Signer::Notice notice() const {
    return [log = log_](std::string_view event, std::string_view text) {
      log.warn(event, {{"detail", std::string(text)}});
    };
  }

  const sdk::Status dumps_forbidden_;
  sdk::Config config_;
  sdk::Log log_;
  sdk::Clock clock_;
  std::unique_ptr<SoftwareProvider> provider_;
  std::unique_ptr<FileMemory> memory_;
  std::mutex journal_lock_;               // against the probe
  std::unique_ptr<FileJournal> journal_;  // set and reset under journal_lock_
  std::unique_ptr<Signer> signer_;
  std::unique_ptr<GrpcServer> server_;
};

}  // namespace plexsphere::signing

PLEXSPHERE_PLUGIN(plexsphere::signing::SigningPlugin, "signing", "0.1.0");
