/* px.clock/1: the only source of time, so that tests can own it. */
#ifndef PLEXSPHERE_ABI_CLOCK_H
#define PLEXSPHERE_ABI_CLOCK_H

#include "plexsphere/abi/base.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct px_clock {
  px_table base;
  /* Microseconds since 1970-01-01T00:00:00Z. May step. [no-block] */
  int64_t (*utc_us)(void* self);
  /* Nanoseconds of a steady clock: for deadlines and durations. [no-block] */
  int64_t (*steady_ns)(void* self);
} px_clock;

#ifdef __cplusplus
}
#endif
#endif
