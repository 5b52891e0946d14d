#include "host/services/info.hpp"

#include "host/base/build_info.hpp"
#include "host/base/wire_text.hpp"
#include "host/services/table_map.hpp"
#include "plexsphere/abi/info.h"

namespace plexsphere::host::services {
namespace {

static_assert(static_cast<int>(PluginState::kDraining) == PX_PLUGIN_DRAINING);
static_assert(static_cast<int>(PluginState::kRejected) == PX_PLUGIN_REJECTED);

px_str version(void*) noexcept {
  return wire(build_info().version);
}
px_str commit(void*) noexcept {
  return wire(build_info().commit);
}
px_str build_date(void*) noexcept {
  return wire(build_info().date);
}

void plugins(void* self, void* ctx, void (*each)(void*, const px_plugin_info*)) noexcept {
  try {
    for (const auto& record : static_cast<const PluginStates*>(self)->all()) {
      const px_plugin_info info{sizeof(px_plugin_info), static_cast<px_plugin_state>(record.state),
                                wire(record.id),        wire(record.version),
                                wire(record.reason),    wire(record.openapi)};
      each(ctx, &info);
    }
  } catch (...) {
    // The caller sees fewer plugins; it cannot be told more through this call.
  }
}

class InfoService final : public ServiceProvider {
 public:
  explicit InfoService(const PluginStates& states)
      : wire_{{sizeof(px_info), 1, const_cast<PluginStates*>(&states)},
              &version,
              &commit,
              &build_date,
              &plugins} {}

  std::string_view name() const noexcept override { return "px.info/1"; }
  const px_table* table_for(const PluginContext&) override { return as_table(wire_); }

 private:
  const px_info wire_;
};

}  // namespace

std::unique_ptr<ServiceProvider> make_info_service(const PluginStates& states) {
  return std::make_unique<InfoService>(states);
}

}  // namespace plexsphere::host::services
