#include "host/services/health.hpp"

#include "host/base/error_capture.hpp"
#include "host/health/registry.hpp"
#include "host/services/table_map.hpp"
#include "plexsphere/abi/health.h"

namespace plexsphere::host::services {
namespace {

health::State state_of(px_health_state state) {
  switch (state) {
    case PX_HEALTH_OK:
      return health::State::kOk;
    case PX_HEALTH_DEGRADED:
      return health::State::kDegraded;
    default:
      return health::State::kDown;
  }
}

px_health_state wire_state(health::State state) {
  switch (state) {
    case health::State::kOk:
      return PX_HEALTH_OK;
    case health::State::kDegraded:
      return PX_HEALTH_DEGRADED;
    case health::State::kDown:
      return PX_HEALTH_DOWN;
  }
  return PX_HEALTH_DOWN;
}

bool is_name(std::string_view name) {
  return !name.empty() && name.size() <= 64 &&
         name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string_view::npos;
}

struct HealthTable {
  HealthTable(health::Registry& all, std::string plugin)
      : wire{{sizeof(px_health), 1, this}, &HealthTable::register_probe, &HealthTable::snapshot},
        registry(all),
        id(std::move(plugin)) {}

  static px_status register_probe(void* self, const px_probe* probe, px_error* err) noexcept {
    try {
      return static_cast<HealthTable*>(self)->add(*probe, err);
    } catch (...) {
      return report(err, PX_INTERNAL, "internal", "the probe could not be registered");
    }
  }

  px_status add(const px_probe& probe, px_error* err) {
    if (!is_name(view(probe.name)) || probe.run == nullptr) {
      return report(err, PX_INVALID_ARGUMENT, "bad_probe",
                    "a probe needs a lower_snake_case name and a function");
    }
    health::ProbeOptions options;
    if (probe.timeout_ms != 0) {
      options.timeout = std::chrono::milliseconds(probe.timeout_ms);
    }
    options.kind = probe.kind == PX_PROBE_INFORMATIONAL ? health::Kind::kInformational
                                                        : health::Kind::kFailing;
    const std::string name = id + "." + text(probe.name);
    const auto added = registry.add(
        name,
        [run = probe.run, ctx = probe.ctx]() -> health::Outcome {
          ErrorCapture detail;
          const px_health_state state = run(ctx, detail.wire());
          return {state_of(state), detail.detail()};
        },
        options);
    if (!added) {
      return report(err, static_cast<px_status>(added.code()), "bad_probe", added.message());
    }
    names.push_back(name);
    return PX_OK;
  }

  static px_health_state snapshot(void* self, void* ctx,
                                  void (*each)(void*, const px_health_check*)) noexcept {
    try {
      const auto found = static_cast<HealthTable*>(self)->registry.check();
      for (const auto& check : found.checks) {
        const px_health_check entry{
            sizeof(px_health_check),
            wire_state(check.outcome.state),
            check.kind == health::Kind::kInformational ? PX_PROBE_INFORMATIONAL : PX_PROBE_FAILING,
            static_cast<std::uint32_t>(check.duration.count()),
            ::plexsphere::host::wire(check.name),
            ::plexsphere::host::wire(check.outcome.detail)};
        each(ctx, &entry);
      }
      return wire_state(found.state());
    } catch (...) {
      return PX_HEALTH_DOWN;
    }
  }

  px_health wire;
  health::Registry& registry;
  std::string id;
  std::vector<std::string> names;
};

class HealthService final : public ServiceProvider {
 public:
  explicit HealthService(HostContext& host) : registry_(host.health) {}

  std::string_view name() const noexcept override { return "px.health/1"; }
  const px_table* table_for(const PluginContext& plugin) override {
    return as_table(tables_.get(plugin, registry_, plugin.manifest.id).wire);
  }
  void withdrawn(const PluginContext& plugin) noexcept override {
    if (HealthTable* table = tables_.find(plugin)) {
      for (const auto& name : table->names) {
        registry_.remove(name);
      }
    }
  }

 private:
  health::Registry& registry_;
  TableMap<HealthTable> tables_;
};

}  // namespace

std::unique_ptr<ServiceProvider> make_health_service(HostContext& host) {
  return std::make_unique<HealthService>(host);
}

}  // namespace plexsphere::host::services
