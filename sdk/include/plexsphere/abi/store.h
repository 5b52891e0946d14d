/* px.store/1: PostgreSQL, under the calling context's own role and schema.
 *
 * Statements are declared in configure and called by id; nothing else can be run. A transaction
 * belongs to the thread that uses it, one thread at a time. It may be handed through a port to
 * another context, which may then only `execute` its own statements declared with PX_STATEMENT_PORT
 * in it (one call of one of its SECURITY DEFINER functions) and `stage` work.
 *
 * Just before COMMIT the host writes what was staged: projections, then outbox, then audit, each
 * participant in one call. Lock order everywhere: aggregate rows, address pool, outbox, audit. */
#ifndef PLEXSPHERE_ABI_STORE_H
#define PLEXSPHERE_ABI_STORE_H

#include "plexsphere/abi/base.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef int32_t px_type;
enum {
  PX_TYPE_BOOL = 1,      /* v.boolean */
  PX_TYPE_INT64 = 2,     /* v.integer; int2, int4, int8 in SQL */
  PX_TYPE_FLOAT64 = 3,   /* v.real */
  PX_TYPE_TEXT = 4,      /* v.text; also inet, cidr, interval, enums as text. No NUL bytes */
  PX_TYPE_BYTES = 5,     /* v.bytes; bytea */
  PX_TYPE_UUID = 6,      /* v.uuid */
  PX_TYPE_TIMESTAMP = 7, /* v.integer; timestamptz as microseconds since 1970 UTC */
  PX_TYPE_JSON = 8,      /* v.text; json or jsonb */
  PX_TYPE_ARRAY = 64     /* added to INT64, TEXT, BYTES, UUID, TIMESTAMP, BOOL: v.array */
};

struct px_value;
typedef struct px_array {
  const struct px_value* items; /* each of the element type, or null */
  uint64_t count;
} px_array;

/* One parameter or cell. `type` decides the member; `is_null` leaves it unread. */
typedef struct px_value {
  px_type type;
  int32_t is_null;
  union {
    int32_t boolean;
    int64_t integer;
    double real;
    px_str text;
    px_bytes bytes;
    px_uuid uuid;
    px_array array;
  } v;
} px_value;

enum {
  PX_STATEMENT_READ = 1, /* changes nothing; may run in a read-only transaction */
  PX_STATEMENT_PORT =
      2, /* "SELECT … FROM <own schema>.port_…(…)": may run in others' transactions */
  /* With READ only: `stream` fetches it by binary COPY, at several times the rate. While a row is
   * visited its transaction may not be used. The statement bounds its own result (a LIMIT): the
   * statement time-out covers all of it, and what is left after a stop is still read. Results are
   * BOOL, INT64, TEXT, BYTES, UUID or TIMESTAMP, and TEXT is text or varchar in SQL. A host that
   * does not know the flag streams as ever. */
  PX_STATEMENT_COPY = 4
};

typedef struct px_statement {
  uint32_t struct_size;
  uint32_t flags;
  px_str name; /* unique in the plugin; for logs and metrics */
  px_str
      sql; /* one SELECT, INSERT, UPDATE, DELETE, VALUES or WITH; parameters $1…; names qualified */
  const px_type* parameters;
  uint64_t parameter_count; /* at most 64 */
  const px_type* results;
  uint64_t result_count; /* at most 64; 0 for a statement without a result */
} px_statement;

typedef struct px_tx px_tx;     /* owned by the host until commit or rollback returns */
typedef struct px_rows px_rows; /* owned by the holder until rows_release */

enum {
  PX_TX_SNAPSHOT = 1 /* read-only: every statement sees what the first one saw */
};

typedef struct px_tx_options {
  uint32_t struct_size;
  int32_t read_only;
  uint32_t timeout_ms; /* for obtaining a connection and for each statement; 0 takes the default */
  uint32_t flags;      /* PX_TX_… */
} px_tx_options;

/* Order of pre-commit work. Contexts use PROJECTION through px.outbox; AUDIT is the audit
 * context's. */
typedef int32_t px_phase;
enum { PX_PHASE_PROJECTION = 1, PX_PHASE_OUTBOX = 2, PX_PHASE_AUDIT = 3 };

typedef struct px_participant {
  uint32_t struct_size;
  px_phase phase;
  px_str name;
  void* ctx;
  /* Writes the staged items into `tx`. Failing aborts the commit with its status. [worker] */
  px_status (*flush)(void* ctx, px_tx* tx, void* const* items, uint64_t count, px_error* err);
  /* Frees one item: after commit, rollback or failure, exactly once. [any] */
  void (*release)(void* ctx, void* item);
} px_participant;

typedef struct px_store {
  px_table base;

  /* [init] PX_INVALID_ARGUMENT for transaction control, SET, DO, COPY, set_config and other
   * utilities, several statements, or a PORT statement that is not one function call. */
  px_status (*declare)(void* self, const px_statement* statement, uint32_t* id, px_error* err);
  /* [init] PX_PERMISSION_DENIED unless the manifest grants the phase. */
  px_status (*participate)(void* self, const px_participant* participant, uint32_t* id,
                           px_error* err);

  /* PX_UNAVAILABLE: database away. PX_RESOURCE_EXHAUSTED: no connection within the time-out.
   * `options` may be null. [worker] */
  px_status (*begin)(void* self, const px_tx_options* options, px_tx** out, px_error* err);
  /* Runs a declared statement of this plugin. `out` may be null when the rows do not matter;
   * `*out` is set only on PX_OK. After a failure only rollback makes sense.
   * Errors of the database, by SQLSTATE: unique or exclusion violation PX_ALREADY_EXISTS, foreign
   * key PX_FAILED_PRECONDITION (reason: constraint name in both); check or data error
   * PX_INVALID_ARGUMENT; serialisation or deadlock PX_ABORTED; lock time-out PX_UNAVAILABLE with
   * reason "lock_timeout"; statement time-out PX_DEADLINE_EXCEEDED; SQLSTATE PX001 raised by our
   * functions PX_FAILED_PRECONDITION with the raised message as reason. [worker] */
  px_status (*execute)(void* self, px_tx* tx, uint32_t statement, const px_value* parameters,
                       uint64_t parameter_count, px_rows** out, px_error* err);
  /* As execute, for large reads: `row` is called per row in bounded memory; returning 0 stops. */
  px_status (*stream)(void* self, px_tx* tx, uint32_t statement, const px_value* parameters,
                      uint64_t parameter_count, void* ctx,
                      int32_t (*row)(void* ctx, const px_value* cells, uint64_t cell_count),
                      px_error* err);
  /* Hands `item` to the transaction; see px_participant. On failure the caller keeps the item. */
  px_status (*stage)(void* self, px_tx* tx, uint32_t participant, void* item, px_error* err);

  /* Ends the transaction whatever it returns. PX_OK: durable. PX_UNKNOWN: the connection broke
   * while committing; the change may have happened. Anything else: it has not. [worker] */
  px_status (*commit)(void* self, px_tx* tx, px_error* err);
  void (*rollback)(void* self, px_tx* tx); /* [worker] */

  /* Cells live until rows_release. `row` < rows_count. [any] */
  uint64_t (*rows_count)(const px_rows* rows);
  uint64_t (*rows_affected)(const px_rows* rows);
  const px_value* (*rows_cells)(const px_rows* rows, uint64_t row);
  void (*rows_release)(px_rows* rows);
} px_store;

#ifdef __cplusplus
}
#endif
#endif
