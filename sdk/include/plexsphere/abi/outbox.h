/* px.outbox/1: domain events, written in the transaction of the change that they tell of.
 *
 * Events are staged while the transaction runs and written just before COMMIT, after the
 * projections that subscribe to them. A plugin may append only the types in its manifest. */
#ifndef PLEXSPHERE_ABI_OUTBOX_H
#define PLEXSPHERE_ABI_OUTBOX_H

#include "plexsphere/abi/store.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct px_event {
  uint32_t struct_size;
  uint32_t reserved;
  px_uuid id;        /* UUIDv7; all zero lets the host make one */
  px_uuid domain_id; /* whose stream it belongs to; all zero for platform events */
  px_str type;       /* "tenancy.NodeRegistered" */
  px_str aggregate_type;
  px_uuid aggregate_id; /* order is promised per aggregate */
  px_str payload;       /* one JSON object, at most 48 KiB */
  px_str correlation_id;
} px_event;

/* Writes what the event means for the subscriber's own tables, through one of its PORT statements.
 * Failing aborts the emitter's transaction. [worker] */
typedef px_status (*px_projection)(void* ctx, px_tx* tx, const px_event* const* events,
                                   uint64_t count, px_error* err);

typedef struct px_outbox {
  px_table base;
  /* Copies the event. PX_PERMISSION_DENIED, reason "undeclared_event", for a type the manifest does
   * not list. [worker] */
  px_status (*append)(void* self, px_tx* tx, const px_event* event, px_error* err);
  /* Subscribes in the emitter's transaction, whoever that is. [init] */
  px_status (*project)(void* self, px_str type, px_projection projection, void* ctx, px_error* err);
} px_outbox;

#ifdef __cplusplus
}
#endif
#endif
