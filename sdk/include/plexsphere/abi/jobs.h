/* px.jobs/1: periodic work that exactly one replica does at a time.
 *
 * The leader's lease is a session lock in PostgreSQL, and a job writes in a transaction of the very
 * session that holds it: a leader that lost its lease cannot commit. */
#ifndef PLEXSPHERE_ABI_JOBS_H
#define PLEXSPHERE_ABI_JOBS_H

#include "plexsphere/abi/store.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Valid while the run lasts. */
typedef struct px_job_run {
  uint32_t struct_size;
  uint32_t reserved;
  void* self;
  /* A transaction on the leader's session, under the plugin's role. Use it with px.store's execute,
   * commit and rollback; one at a time. */
  px_status (*begin)(void* self, px_tx** out, px_error* err);
  /* True once the host drains or the lease is lost: return soon. [no-block] */
  int32_t (*should_stop)(void* self);
} px_job_run;

typedef struct px_job {
  uint32_t struct_size;
  uint32_t period_ms; /* 100..86,400,000, from the end of one run to the start of the next, ±10 % */
  px_str name;        /* unique in the plugin; the lease is per (plugin, name) */
  void* ctx;
  px_status (*run)(void* ctx, const px_job_run* run, px_error* err); /* [worker] */
} px_job;

typedef struct px_jobs {
  px_table base;
  px_status (*register_job)(void* self, const px_job* job, px_error* err); /* [init] */
  /* Asks for a run as soon as possible, on whichever replica leads. [no-block] */
  void (*wake)(void* self, px_str name);
} px_jobs;

#ifdef __cplusplus
}
#endif
#endif
