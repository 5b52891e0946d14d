#include "host/services/log.hpp"

#include "host/base/wire_text.hpp"
#include "host/services/table_map.hpp"
#include "host/telemetry/log.hpp"
#include "plexsphere/abi/log.h"

namespace plexsphere::host::services {
namespace {

constexpr std::uint64_t kMostFields = 32;
constexpr std::size_t kLongestValue = 4096;  // bytes

telemetry::Level level_of(px_log_level level) {
  if (level <= PX_LOG_DEBUG) {
    return telemetry::Level::kDebug;
  }
  return level >= PX_LOG_ERROR ? telemetry::Level::kError : static_cast<telemetry::Level>(level);
}

struct LogTable {
  LogTable(telemetry::Logger& logger, std::string plugin)
      : wire{{sizeof(px_log), 1, this}, &LogTable::write, &LogTable::enabled},
        log(logger),
        id(std::move(plugin)) {}

  static void write(void* self, px_log_level level, px_str event, const px_pair* fields,
                    std::uint64_t count) noexcept {
    try {
      static_cast<LogTable*>(self)->write_line(level_of(level), event, fields, count);
    } catch (...) {
      // Without memory there is no line.
    }
  }

  static std::int32_t enabled(void* self, px_log_level level) noexcept {
    return static_cast<LogTable*>(self)->log.enabled(level_of(level)) ? 1 : 0;
  }

  void write_line(telemetry::Level level, px_str event, const px_pair* pairs,
                  std::uint64_t count) const {
    std::vector<telemetry::Field> out;
    const std::uint64_t taken = std::min(count, kMostFields);
    out.reserve(taken + 2);
    out.emplace_back("plugin", id);
    bool cut = taken < count;
    for (std::uint64_t i = 0; i < taken; ++i) {
      const auto value = view(pairs[i].value);
      cut = cut || value.size() > kLongestValue;
      out.emplace_back(view(pairs[i].name), value.substr(0, kLongestValue));
    }
    if (cut) {
      out.emplace_back("cut", true);
    }
    log.write(level, view(event), out);
  }

  px_log wire;
  telemetry::Logger& log;
  std::string id;
};

class LogService final : public ServiceProvider {
 public:
  explicit LogService(HostContext& host) : log_(host.log) {}

  std::string_view name() const noexcept override { return "px.log/1"; }
  const px_table* table_for(const PluginContext& plugin) override {
    return as_table(tables_.get(plugin, log_, plugin.manifest.id).wire);
  }

 private:
  telemetry::Logger& log_;
  TableMap<LogTable> tables_;
};

}  // namespace

std::unique_ptr<ServiceProvider> make_log_service(HostContext& host) {
  return std::make_unique<LogService>(host);
}

}  // namespace plexsphere::host::services
