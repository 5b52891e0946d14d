#include "host/services/egress_service.hpp"

#include <algorithm>
#include <cstdlib>
#include <utility>
#include <variant>

#include "host/base/error_capture.hpp"
#include "host/config/egress_keys.hpp"
#include "host/egress/check.hpp"
#include "host/services/table_map.hpp"
#include "host/telemetry/metrics.hpp"
#include "plexsphere/abi/egress.h"

namespace plexsphere::host::services {
namespace {

using config::Origin;
using egress::Fault;
using egress::Outcome;
using egress::Request;

constexpr std::uint32_t kLongestDeadline = 600'000;  // milliseconds

std::string_view view(px_bytes bytes) {
  return bytes.len == 0 ? std::string_view()
                        : std::string_view(reinterpret_cast<const char*>(bytes.ptr), bytes.len);
}

// "2xx" and so on, or why there was no answer: few enough for a label.
std::string outcome_name(const Outcome& outcome) {
  return outcome.response ? std::to_string(outcome.response->status / 100) + "xx"
                          : outcome.fault.reason;
}

// The plugin's side of one completion.
struct Callback {
  void* ctx = nullptr;
  void (*done)(void*, px_status, const px_egress_response*, px_str, px_str) = nullptr;

  void operator()(const Outcome& outcome) const {
    if (!outcome.response) {
      done(ctx, static_cast<px_status>(outcome.fault.code), nullptr,
           host::wire(outcome.fault.reason), host::wire(outcome.fault.detail));
      return;
    }
    const auto& response = *outcome.response;
    std::vector<px_pair> headers;
    headers.reserve(response.headers.size());
    for (const auto& [name, value] : response.headers) {
      headers.push_back({host::wire(name), host::wire(value)});
    }
    const px_egress_response answer{
        sizeof(px_egress_response),
        response.status,
        headers.data(),
        headers.size(),
        {reinterpret_cast<const std::uint8_t*>(response.body.data()), response.body.size()}};
    done(ctx, PX_OK, &answer, {}, {});
  }
};

// What signs a context's requests, as configured. Read when it is needed, so that a new key needs
// no restart and an unused one is nowhere.
class Credential {
 public:
  explicit Credential(const config::Settings& settings) {
    if (settings.has("egress_access_key_id")) {
      access_key_id_ = settings.string("egress_access_key_id");
    }
    if (settings.has("egress_secret_key_file")) {
      file_ = settings.string("egress_secret_key_file");
    }
    if (settings.has("egress_secret_key_credential")) {
      credential_ = settings.string("egress_secret_key_credential");
    }
  }

  // Fills in key and name.
  std::optional<Fault> put_into(egress::Signature& signature, const std::string& context) const {
    if (access_key_id_.empty()) {
      return Fault{Code::kFailedPrecondition, "credential_missing",
                   "set egress_access_key_id under [context." + context + "]"};
    }
    std::string path = file_;
    if (path.empty()) {
      const char* directory = std::getenv("CREDENTIALS_DIRECTORY");
      if (directory == nullptr || credential_.find('/') != std::string::npos) {
        return Fault{Code::kFailedPrecondition, "credential_unreadable",
                     "the credential '" + credential_ +
                         "' cannot be found: start the service by systemd with LoadCredential=, or "
                         "use egress_secret_key_file"};
      }
      path = std::string(directory) + "/" + credential_;
    }
    auto secret = config::read_secret_file(path);
    if (!secret) {
      return Fault{Code::kFailedPrecondition, "credential_unreadable", secret.status().message()};
    }
    if (secret->view().find('\0') != std::string_view::npos) {
      return Fault{Code::kFailedPrecondition, "credential_unreadable",
                   path + ": the secret file holds a NUL byte; write the key alone into it"};
    }
    signature.access_key_id = access_key_id_;
    signature.secret_key = std::move(*secret);
    return std::nullopt;
  }

 private:
  std::string access_key_id_;
  std::string file_;
  std::string credential_;
};

struct EgressTable {
  EgressTable(const PluginContext& the_plugin, egress::Engine& the_engine,
              telemetry::Metrics& the_metrics)
      : wire{{sizeof(px_egress), 1, this}, &EgressTable::send, &EgressTable::cancel},
        plugin(the_plugin),
        engine(the_engine),
        metrics(the_metrics),
        granted(config::granted_origins(the_plugin.settings)),
        credential(the_plugin.settings) {
    if (the_plugin.settings.has("egress_ca_file")) {
      ca_file = the_plugin.settings.string("egress_ca_file");
    }
  }

  static EgressTable& of(void* self) { return *static_cast<EgressTable*>(self); }

  static px_status send(void* self, const px_egress_request* request, px_egress_id* out,
                        px_error* err) noexcept {
    try {
      auto& table = of(self);
      const auto sent = table.begin(request);
      if (sent.id == 0) {
        table.refused(sent.fault.reason);
        return report(err, static_cast<px_status>(sent.fault.code), sent.fault.reason,
                      sent.fault.detail);
      }
      if (out != nullptr) {
        *out = sent.id;
      }
      return PX_OK;
    } catch (...) {
      return report(err, PX_INTERNAL, "internal", "the request could not be begun");
    }
  }

  static px_status cancel(void* self, px_egress_id id, px_error* err) noexcept {
    try {
      return of(self).engine.cancel(&of(self).plugin, id)
                 ? PX_OK
                 : report(err, PX_NOT_FOUND, "request_ended", "the request has ended");
    } catch (...) {
      return report(err, PX_INTERNAL, "internal", "the request could not be cancelled");
    }
  }

  egress::Engine::Sent begin(const px_egress_request* wanted) {
    auto made = request_of(wanted);
    if (auto* fault = std::get_if<Fault>(&made)) {
      return {0, std::move(*fault)};
    }
    const auto begun = std::chrono::steady_clock::now();
    return engine.send(
        &plugin, std::move(std::get<Request>(made)),
        [this, begun, call = Callback{wanted->ctx, wanted->done}](const Outcome& outcome) {
          ended(outcome, std::chrono::steady_clock::now() - begun);
          call(outcome);
        });
  }

  std::variant<Request, Fault> request_of(const px_egress_request* wanted) const {
    if (wanted == nullptr || !PX_HAS(wanted, px_egress_request, done) || wanted->done == nullptr) {
      return Fault{Code::kInvalidArgument, "request_malformed",
                   "there is no request or no done, or its struct_size is too small"};
    }
    if (wanted->deadline_ms == 0 || wanted->deadline_ms > kLongestDeadline) {
      return Fault{Code::kInvalidArgument, "request_malformed",
                   "deadline_ms is 1 to 600000, not " + std::to_string(wanted->deadline_ms)};
    }
    if (wanted->body.len > egress::kLargestBody || wanted->header_count > egress::kMostHeaders) {
      return Fault{Code::kInvalidArgument, "request_malformed",
                   "a request has at most 67108864 bytes of body and 64 headers"};
    }
    Request request;
    request.deadline =
        std::chrono::steady_clock::now() + std::chrono::milliseconds(wanted->deadline_ms);
    request.method = text(wanted->method);
    request.max_response_bytes = wanted->max_response_bytes;
    request.ca_file = ca_file;
    for (std::uint64_t i = 0; i < wanted->header_count; ++i) {
      request.headers.emplace_back(text(wanted->headers[i].name), text(wanted->headers[i].value));
    }
    if (auto fault = egress::set_url(request, host::view(wanted->url))) {
      return std::move(*fault);
    }
    if (auto fault = not_granted(request.origin)) {
      return std::move(*fault);
    }
    request.body = view(wanted->body);
    if (auto fault = egress::check_parts(request)) {
      return std::move(*fault);
    }
    if (wanted->sigv4_region.len != 0 || wanted->sigv4_service.len != 0) {
      request.signature.emplace();
      request.signature->region = text(wanted->sigv4_region);
      request.signature->service = text(wanted->sigv4_service);
      if (auto fault = egress::make_signable(request)) {
        return std::move(*fault);
      }
      if (auto fault = credential.put_into(*request.signature, plugin.manifest.id)) {
        return std::move(*fault);
      }
    }
    return request;
  }

  std::optional<Fault> not_granted(const Origin& origin) const {
    const auto& asked = plugin.manifest.capabilities.egress;
    const bool asks = std::any_of(asked.begin(), asked.end(), [&](const std::string& item) {
      return item == config::kAnyOrigin || config::parse_origin(item) == origin;
    });
    if (asks && std::find(granted.begin(), granted.end(), origin) != granted.end()) {
      return std::nullopt;
    }
    if (!asks) {
      return Fault{Code::kPermissionDenied, "origin_not_granted",
                   "plugin.toml of '" + plugin.manifest.id + "' does not ask for " + origin.text()};
    }
    Origin secure = origin;
    secure.plaintext = false;
    if (origin.plaintext && std::find(granted.begin(), granted.end(), secure) != granted.end()) {
      return Fault{Code::kPermissionDenied, "plaintext_not_granted",
                   "[context." + plugin.manifest.id + "] egress grants " + secure.text() +
                       ", not " + origin.text()};
    }
    return Fault{Code::kPermissionDenied, "origin_not_granted",
                 "[context." + plugin.manifest.id + "] egress does not list " + origin.text()};
  }

  void refused(const std::string& reason) const {
    metrics
        .counter("plexsphere_egress_refused_total",
                 "Requests of px.egress that were refused before anything was sent.")
        .Add({{"context", plugin.manifest.id}, {"reason", reason}})
        .Increment();
  }

  void ended(const Outcome& outcome, std::chrono::steady_clock::duration took) const {
    metrics
        .counter("plexsphere_egress_requests_total",
                 "Requests of px.egress that ended, by class of status or by reason.")
        .Add({{"context", plugin.manifest.id}, {"outcome", outcome_name(outcome)}})
        .Increment();
    metrics
        .histogram("plexsphere_egress_duration_seconds",
                   "From the call of a plugin to the end of its request.")
        .Add({{"context", plugin.manifest.id}}, telemetry::Metrics::latency_buckets())
        .Observe(std::chrono::duration<double>(took).count());
  }

  px_egress wire;
  const PluginContext& plugin;
  egress::Engine& engine;
  telemetry::Metrics& metrics;
  const std::vector<Origin> granted;
  const Credential credential;
  std::string ca_file;
};

class Service final : public ServiceProvider {
 public:
  Service(HostContext& host, egress::EngineOptions options)
      : host_(host), engine_(options, host.metrics) {}

  std::string_view name() const noexcept override { return "px.egress/1"; }
  const px_table* table_for(const PluginContext& plugin) override {
    return plugin.manifest.capabilities.egress.empty()
               ? nullptr
               : as_table(tables_.get(plugin, plugin, engine_, host_.metrics).wire);
  }
  void withdrawn(const PluginContext& plugin) noexcept override { engine_.withdraw(&plugin); }
  void stopped() override { engine_.stop(); }

 private:
  HostContext& host_;
  TableMap<EgressTable> tables_;
  egress::Engine engine_;  // goes first: its completions use the tables
};

}  // namespace

std::unique_ptr<ServiceProvider> make_egress_service(HostContext& host,
                                                     egress::EngineOptions options) {
  return std::make_unique<Service>(host, options);
}

}  // namespace plexsphere::host::services
