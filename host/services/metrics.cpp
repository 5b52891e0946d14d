#include "host/services/metrics.hpp"

#include <algorithm>
#include <mutex>

#include "host/base/error_capture.hpp"
#include "host/services/table_map.hpp"
#include "host/telemetry/metrics.hpp"
#include "plexsphere/abi/metrics.h"

// The wire's opaque series: one of the three.
struct px_metric_series {
  px_metric_kind kind = PX_METRIC_COUNTER;
  prometheus::Counter* counter = nullptr;
  prometheus::Gauge* gauge = nullptr;
  prometheus::Histogram* histogram = nullptr;
};

namespace plexsphere::host::services {
namespace {

constexpr std::size_t kMostSeries = 1000;  // a plugin
constexpr const char* kWordCharacters = "abcdefghijklmnopqrstuvwxyz0123456789_";

std::string prefix_of(std::string id) {
  std::replace_if(
      id.begin(), id.end(), [](char c) { return c == '.' || c == '-'; }, '_');
  return "plexsphere_" + id + "_";
}

bool is_word(std::string_view name) {
  return !name.empty() && (name.front() < '0' || name.front() > '9') &&
         name.find_first_not_of(kWordCharacters) == std::string_view::npos;
}

struct MetricsTable {
  MetricsTable(telemetry::Metrics& host_metrics, const std::string& id)
      : wire{{sizeof(px_metrics), 1, this},
             &MetricsTable::series,
             &MetricsTable::add,
             &MetricsTable::set,
             &MetricsTable::observe},
        metrics(host_metrics),
        prefix(prefix_of(id)) {}

  static px_status series(void* self, px_metric_kind kind, px_str name, px_str help,
                          const px_pair* labels, std::uint64_t label_count, const double* buckets,
                          std::uint64_t bucket_count, px_metric_series** out,
                          px_error* err) noexcept {
    try {
      prometheus::Labels pairs;
      for (std::uint64_t i = 0; i < label_count; ++i) {
        pairs.emplace(text(labels[i].name), text(labels[i].value));
      }
      return static_cast<MetricsTable*>(self)->find(kind, text(name), text(help), std::move(pairs),
                                                    {buckets, buckets + bucket_count}, out, err);
    } catch (...) {
      return report(err, PX_INVALID_ARGUMENT, "bad_series",
                    "the metric clashes with another of the same name");
    }
  }

  px_status find(px_metric_kind kind, const std::string& name, const std::string& help,
                 prometheus::Labels labels, std::vector<double> buckets, px_metric_series** out,
                 px_error* err) {
    const bool labels_good = std::all_of(labels.begin(), labels.end(),
                                         [](const auto& label) { return is_word(label.first); });
    if (!is_word(name) || name.rfind(prefix, 0) != 0 || !labels_good) {
      return report(
          err, PX_INVALID_ARGUMENT, "bad_name",
          "metric and label names are lower_snake_case, and the metric's begins with " + prefix);
    }
    const std::lock_guard lock(mutex);
    const auto [kind_of, fresh] = kinds.emplace(name, kind);
    if (kind < PX_METRIC_COUNTER || kind > PX_METRIC_HISTOGRAM || kind_of->second != kind) {
      return report(err, PX_INVALID_ARGUMENT, "bad_kind",
                    "the metric was declared as another kind before");
    }
    auto& slot = all[{name, labels}];
    if (slot == nullptr) {
      if (all.size() > kMostSeries) {
        all.erase({name, labels});
        return report(err, PX_RESOURCE_EXHAUSTED, "too_many_series",
                      "a plugin may have 1000 series; use labels of bounded cardinality");
      }
      slot = make(kind, name, help, labels, std::move(buckets));
    }
    *out = slot.get();
    return PX_OK;
  }

  std::unique_ptr<px_metric_series> make(px_metric_kind kind, const std::string& name,
                                         const std::string& help, const prometheus::Labels& labels,
                                         std::vector<double> buckets) {
    auto made = std::make_unique<px_metric_series>();
    made->kind = kind;
    if (kind == PX_METRIC_COUNTER) {
      made->counter = &metrics.counter(name, help).Add(labels);
    } else if (kind == PX_METRIC_GAUGE) {
      made->gauge = &metrics.gauge(name, help).Add(labels);
    } else {
      made->histogram = &metrics.histogram(name, help)
                             .Add(labels, buckets.empty() ? telemetry::Metrics::latency_buckets()
                                                          : std::move(buckets));
    }
    return made;
  }

  static void add(void*, px_metric_series* series, double value) noexcept {
    if (series->counter != nullptr && value >= 0) {
      series->counter->Increment(value);
    } else if (series->gauge != nullptr) {
      series->gauge->Increment(value);
    }
  }

  static void set(void*, px_metric_series* series, double value) noexcept {
    if (series->gauge != nullptr) {
      series->gauge->Set(value);
    }
  }

  static void observe(void*, px_metric_series* series, double value) noexcept {
    if (series->histogram != nullptr) {
      series->histogram->Observe(value);
    }
  }

  px_metrics wire;
  telemetry::Metrics& metrics;
  std::string prefix;
  std::mutex mutex;
  std::map<std::string, px_metric_kind> kinds;
  std::map<std::pair<std::string, prometheus::Labels>, std::unique_ptr<px_metric_series>> all;
};

class MetricsService final : public ServiceProvider {
 public:
  explicit MetricsService(HostContext& host) : metrics_(host.metrics) {}

  std::string_view name() const noexcept override { return "px.metrics/1"; }
  const px_table* table_for(const PluginContext& plugin) override {
    return as_table(tables_.get(plugin, metrics_, plugin.manifest.id).wire);
  }

 private:
  telemetry::Metrics& metrics_;
  TableMap<MetricsTable> tables_;
};

}  // namespace

std::unique_ptr<ServiceProvider> make_metrics_service(HostContext& host) {
  return std::make_unique<MetricsService>(host);
}

}  // namespace plexsphere::host::services
