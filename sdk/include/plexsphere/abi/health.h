/* px.health/1: probes of this plugin, and the sum of all of them. */
#ifndef PLEXSPHERE_ABI_HEALTH_H
#define PLEXSPHERE_ABI_HEALTH_H

#include "plexsphere/abi/base.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef int32_t px_health_state;
enum { PX_HEALTH_OK = 0, PX_HEALTH_DEGRADED = 1, PX_HEALTH_DOWN = 2 };

typedef int32_t px_probe_kind;
enum {
  PX_PROBE_FAILING = 0,      /* down makes /readyz answer 503 */
  PX_PROBE_INFORMATIONAL = 1 /* shown, never fails readiness */
};

typedef struct px_probe {
  uint32_t struct_size;
  px_probe_kind kind;
  px_str name;         /* stable, lower_snake_case */
  uint32_t timeout_ms; /* 0 takes the default of 2,000 */
  uint32_t reserved;
  void* ctx;
  /* Returns the state; `err->set` gives the detail text. Runs on a host thread in parallel with
   * other probes; one that outlives its time-out counts as down and is not started again until it
   * returns. [worker] */
  px_health_state (*run)(void* ctx, px_error* detail);
} px_probe;

/* One probe's result in a snapshot. Views live for the call. */
typedef struct px_health_check {
  uint32_t struct_size;
  px_health_state state;
  px_probe_kind kind;
  uint32_t duration_ms;
  px_str name;
  px_str detail;
} px_health_check;

typedef struct px_health {
  px_table base;
  px_status (*register_probe)(void* self, const px_probe* probe, px_error* err); /* [init] */
  /* Runs every probe (bounded by the longest time-out), calls `each` for each result, and returns
   * the roll-up: down if a failing probe is down or the host drains, degraded if anything else is
   * not ok. [worker] */
  px_health_state (*snapshot)(void* self, void* ctx,
                              void (*each)(void* ctx, const px_health_check* check));
} px_health;

#ifdef __cplusplus
}
#endif
#endif
