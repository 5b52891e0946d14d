/* px.metrics/1: Prometheus counters, gauges and histograms.
 *
 * A family is declared once with its label names; a series is one combination of label values.
 * Names must begin with "plexsphere_<plugin id>_" (dots and dashes as underscores), labels must be
 * of bounded cardinality: never a node, user or tenant id. At most 1,000 series a plugin. */
#ifndef PLEXSPHERE_ABI_METRICS_H
#define PLEXSPHERE_ABI_METRICS_H

#include "plexsphere/abi/base.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef int32_t px_metric_kind;
enum { PX_METRIC_COUNTER = 0, PX_METRIC_GAUGE = 1, PX_METRIC_HISTOGRAM = 2 };

typedef struct px_metric_series px_metric_series; /* owned by the host, lives to process end */

typedef struct px_metrics {
  px_table base;
  /* Finds or makes the series. `buckets` are upper bounds in ascending order, for histograms only;
   * empty takes the host's latency buckets in seconds. A second call of the same name must agree in
   * kind. [worker] */
  px_status (*series)(void* self, px_metric_kind kind, px_str name, px_str help,
                      const px_pair* labels, uint64_t label_count, const double* buckets,
                      uint64_t bucket_count, px_metric_series** out, px_error* err);
  /* Counter: adds `value` >= 0. Gauge: adds. [no-block] */
  void (*add)(void* self, px_metric_series* series, double value);
  /* Gauge only. [no-block] */
  void (*set)(void* self, px_metric_series* series, double value);
  /* Histogram only. [no-block] */
  void (*observe)(void* self, px_metric_series* series, double value);
} px_metrics;

#ifdef __cplusplus
}
#endif
#endif
