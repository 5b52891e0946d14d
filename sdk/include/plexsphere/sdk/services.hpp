// The small host services: log, clock, configuration, metrics, health, process information.
// Each wrapper is a copyable view of a table that lives until the process ends; any thread unless
// said otherwise. Which calls block is told in plexsphere/abi/<service>.h.
#pragma once

#include <chrono>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "plexsphere/abi/clock.h"
#include "plexsphere/abi/config.h"
#include "plexsphere/abi/health.h"
#include "plexsphere/abi/info.h"
#include "plexsphere/abi/log.h"
#include "plexsphere/abi/metrics.h"
#include "plexsphere/sdk/status.hpp"
#include "plexsphere/sdk/time.hpp"

namespace plexsphere::sdk::inline v1 {

struct Field {
  std::string_view name;
  std::string value;
};

class Log {
 public:
  static constexpr std::string_view kName = "px.log/1";
  using Wire = px_log;
  Log() = default;
  explicit Log(const px_log* table) : table_(table) {}

  void debug(std::string_view event, std::initializer_list<Field> fields = {}) const {
    write(PX_LOG_DEBUG, event, fields);
  }
  void info(std::string_view event, std::initializer_list<Field> fields = {}) const {
    write(PX_LOG_INFO, event, fields);
  }
  void warn(std::string_view event, std::initializer_list<Field> fields = {}) const {
    write(PX_LOG_WARN, event, fields);
  }
  void error(std::string_view event, std::initializer_list<Field> fields = {}) const {
    write(PX_LOG_ERROR, event, fields);
  }

 private:
  void write(px_log_level level, std::string_view event,
             std::initializer_list<Field> fields) const {
    if (table_ == nullptr || table_->enabled(table_->base.self, level) == 0) {
      return;
    }
    std::vector<px_pair> pairs;
    pairs.reserve(fields.size());
    for (const Field& field : fields) {
      pairs.push_back({to_wire(field.name), to_wire(field.value)});
    }
    table_->write(table_->base.self, level, to_wire(event), pairs.data(), pairs.size());
  }

  const px_log* table_ = nullptr;
};

class Clock {
 public:
  static constexpr std::string_view kName = "px.clock/1";
  using Wire = px_clock;
  Clock() = default;
  explicit Clock(const px_clock* table) : table_(table) {}

  Instant now() const { return instant_from_us(table_->utc_us(table_->base.self)); }
  std::chrono::nanoseconds steady() const {
    return std::chrono::nanoseconds(table_->steady_ns(table_->base.self));
  }

 private:
  const px_clock* table_ = nullptr;
};

// The plugin's own keys, typed. A key without value or default is an Error with reason "unset".
class Config {
 public:
  static constexpr std::string_view kName = "px.config/1";
  using Wire = px_config;
  Config() = default;
  explicit Config(const px_config* table) : table_(table) {}

  Result<std::string> string(std::string_view key) const {
    px_str out{};
    ErrorSink sink;
    const px_status s = table_->get_string(table_->base.self, to_wire(key), &out, sink.wire());
    return s == PX_OK ? Result<std::string>(std::string(view(out))) : std::move(sink).error(s);
  }
  Result<int64_t> integer(std::string_view key) const {
    return scalar<int64_t>(table_->get_integer, key);
  }
  Result<bool> boolean(std::string_view key) const {
    auto value = scalar<int32_t>(table_->get_boolean, key);
    return value.ok() ? Result<bool>(*value != 0) : Result<bool>(value.error());
  }
  Result<std::chrono::milliseconds> duration(std::string_view key) const {
    auto value = scalar<int64_t>(table_->get_duration_ms, key);
    using Ms = std::chrono::milliseconds;
    return value.ok() ? Result<Ms>(Ms(*value)) : Result<Ms>(value.error());
  }
  Result<std::vector<std::string>> list(std::string_view key) const {
    auto size = scalar<uint64_t>(table_->get_list_size, key);
    if (!size.ok()) {
      return size.error();
    }
    std::vector<std::string> items;
    for (uint64_t i = 0; i < *size; ++i) {
      px_str out{};
      ErrorSink sink;
      const px_status s =
          table_->get_list_item(table_->base.self, to_wire(key), i, &out, sink.wire());
      if (s != PX_OK) {
        return std::move(sink).error(s);
      }
      items.emplace_back(view(out));
    }
    return items;
  }

 private:
  template <typename T, typename Get>
  Result<T> scalar(Get get, std::string_view key) const {
    T out{};
    ErrorSink sink;
    const px_status s = get(table_->base.self, to_wire(key), &out, sink.wire());
    return s == PX_OK ? Result<T>(out) : Result<T>(std::move(sink).error(s));
  }

  const px_config* table_ = nullptr;
};

// A series; copyable, does nothing when default-made.
class Metric {
 public:
  Metric() = default;
  Metric(const px_metrics* table, px_metric_series* series) : table_(table), series_(series) {}
  void add(double value = 1) const {
    if (series_ != nullptr) {
      table_->add(table_->base.self, series_, value);
    }
  }
  void set(double value) const {
    if (series_ != nullptr) {
      table_->set(table_->base.self, series_, value);
    }
  }
  void observe(double value) const {
    if (series_ != nullptr) {
      table_->observe(table_->base.self, series_, value);
    }
  }

 private:
  const px_metrics* table_ = nullptr;
  px_metric_series* series_ = nullptr;
};

class Metrics {
 public:
  static constexpr std::string_view kName = "px.metrics/1";
  using Wire = px_metrics;
  Metrics() = default;
  explicit Metrics(const px_metrics* table) : table_(table) {}

  Result<Metric> counter(std::string_view name, std::string_view help,
                         std::initializer_list<Field> labels = {}) const {
    return series(PX_METRIC_COUNTER, name, help, labels);
  }
  Result<Metric> gauge(std::string_view name, std::string_view help,
                       std::initializer_list<Field> labels = {}) const {
    return series(PX_METRIC_GAUGE, name, help, labels);
  }
  Result<Metric> histogram(std::string_view name, std::string_view help,
                           std::initializer_list<Field> labels = {}) const {
    return series(PX_METRIC_HISTOGRAM, name, help, labels);
  }

 private:
  Result<Metric> series(px_metric_kind kind, std::string_view name, std::string_view help,
                        std::initializer_list<Field> labels) const {
    std::vector<px_pair> pairs;
    for (const Field& label : labels) {
      pairs.push_back({to_wire(label.name), to_wire(label.value)});
    }
    px_metric_series* out = nullptr;
    ErrorSink sink;
    const px_status s = table_->series(table_->base.self, kind, to_wire(name), to_wire(help),
                                       pairs.data(), pairs.size(), nullptr, 0, &out, sink.wire());
    return s == PX_OK ? Result<Metric>(Metric(table_, out)) : std::move(sink).error(s);
  }

  const px_metrics* table_ = nullptr;
};

struct ProbeResult {
  px_health_state state = PX_HEALTH_OK;
  std::string detail;
};

struct HealthCheck {
  std::string name;
  px_health_state state;
  px_probe_kind kind;
  std::string detail;
};

class Health {
 public:
  static constexpr std::string_view kName = "px.health/1";
  using Wire = px_health;
  using Probe = std::function<ProbeResult()>;
  Health() = default;
  explicit Health(const px_health* table) : table_(table) {}

  // The probe lives until the process ends; it must not throw to say "down".
  Status register_probe(std::string_view name, px_probe_kind kind,
                        std::chrono::milliseconds timeout, Probe probe) const {
    auto* kept = new Probe(std::move(probe));  // a registration is for the life of the process
    const px_probe wire{sizeof(px_probe),
                        kind,
                        to_wire(name),
                        static_cast<uint32_t>(timeout.count()),
                        0,
                        kept,
                        [](void* ctx, px_error* detail) noexcept -> px_health_state {
                          try {
                            const ProbeResult result = (*static_cast<Probe*>(ctx))();
                            if (detail != nullptr) {
                              detail->set(detail->self, PX_OK, {}, to_wire(result.detail));
                            }
                            return result.state;
                          } catch (...) {
                            return PX_HEALTH_DOWN;
                          }
                        }};
    ErrorSink sink;
    return std::move(sink).outcome(table_->register_probe(table_->base.self, &wire, sink.wire()));
  }

  px_health_state snapshot(std::vector<HealthCheck>& checks) const {
    return table_->snapshot(table_->base.self, &checks, [](void* ctx, const px_health_check* c) {
      static_cast<std::vector<HealthCheck>*>(ctx)->push_back(
          {std::string(view(c->name)), c->state, c->kind, std::string(view(c->detail))});
    });
  }

 private:
  const px_health* table_ = nullptr;
};

struct PluginInfo {
  std::string id;
  std::string version;
  px_plugin_state state;
  std::string reason;
  std::string openapi;
};

class Info {
 public:
  static constexpr std::string_view kName = "px.info/1";
  using Wire = px_info;
  Info() = default;
  explicit Info(const px_info* table) : table_(table) {}

  std::string_view version() const { return view(table_->version(table_->base.self)); }
  std::string_view commit() const { return view(table_->commit(table_->base.self)); }
  std::string_view build_date() const { return view(table_->build_date(table_->base.self)); }
  std::vector<PluginInfo> plugins() const {
    std::vector<PluginInfo> out;
    table_->plugins(table_->base.self, &out, [](void* ctx, const px_plugin_info* p) {
      static_cast<std::vector<PluginInfo>*>(ctx)->push_back(
          {std::string(view(p->id)), std::string(view(p->version)), p->state,
           std::string(view(p->reason)), std::string(view(p->openapi))});
    });
    return out;
  }

 private:
  const px_info* table_ = nullptr;
};

}  // namespace plexsphere::sdk::inline v1
