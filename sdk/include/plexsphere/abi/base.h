/* The words of the wire: views, ids, status codes, the error sink, and the head of every table.
 *
 * Conventions, true for every header in this folder:
 *  - Plain C11. No allocation, exception or C++ type crosses; who allocates, frees.
 *  - A view (px_str, px_bytes, arrays) lives for the call that receives it unless its comment says
 *    longer. Text is UTF-8 and not zero-terminated; an empty view may have a null pointer.
 *  - A table is a struct of function pointers that begins with px_table. Tables only grow at their
 *    end: read a later member only if `struct_size` covers it (PX_HAS). A released function never
 *    changes meaning. Structs passed by pointer follow the same rule.
 *  - Functions of a table take the table's `self` first. Tables are owned by their provider and
 *    live until the process ends.
 *  - Thread tags: [init] only while the plugin's create/configure runs, on the host's main thread;
 *    [worker] from a host worker or a plugin's own thread, may block; [any] from any thread at any
 *    time between configure and stop; [no-block] as [any], and promises not to wait.
 *  - No function unwinds. Both sides catch everything and fail closed.
 */
#ifndef PLEXSPHERE_ABI_BASE_H
#define PLEXSPHERE_ABI_BASE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A plugin is accepted when its major equals the host's and its minor is no newer. */
#define PX_ABI_MAJOR 1
#define PX_ABI_MINOR 0

/* True when the table or struct at `p` is long enough to hold `member`. */
#define PX_HAS(p, type, member) \
  ((p)->struct_size >= offsetof(type, member) + sizeof(((const type*)0)->member))

typedef struct px_str {
  const char* ptr;
  uint64_t len; /* bytes */
} px_str;

typedef struct px_bytes {
  const uint8_t* ptr;
  uint64_t len;
} px_bytes;

/* RFC 9562 UUID in network byte order. All zero means "none". */
typedef struct px_uuid {
  uint8_t b[16];
} px_uuid;

/* Canonical status codes, numbered as in gRPC (google.rpc.Code). */
typedef int32_t px_status;
enum {
  PX_OK = 0,
  PX_CANCELLED = 1,           /* the caller went away or the host is draining */
  PX_UNKNOWN = 2,             /* outcome not known, e.g. the connection broke during COMMIT */
  PX_INVALID_ARGUMENT = 3,    /* wrong whatever the state; repeating is useless */
  PX_DEADLINE_EXCEEDED = 4,   /* time ran out before the work was done */
  PX_NOT_FOUND = 5,           /* the thing named does not exist */
  PX_ALREADY_EXISTS = 6,      /* a uniqueness rule refused it */
  PX_PERMISSION_DENIED = 7,   /* known caller, not allowed */
  PX_RESOURCE_EXHAUSTED = 8,  /* a stated limit is reached; retry later */
  PX_FAILED_PRECONDITION = 9, /* the state forbids it; repeating without a change is useless */
  PX_ABORTED = 10,            /* lost a race; repeat the whole unit of work */
  PX_OUT_OF_RANGE = 11,       /* past the end of what exists */
  PX_UNIMPLEMENTED = 12,      /* not there, in this build or configuration */
  PX_INTERNAL = 13,           /* an invariant of ours is broken */
  PX_UNAVAILABLE = 14,        /* a dependency is away; retry with back-off */
  PX_DATA_LOSS = 15,          /* stored data is damaged */
  PX_UNAUTHENTICATED = 16     /* the credential is missing or refused, with certainty */
};

/* Where a failing function puts its reason. Callers pass null when they only want the status.
 * `set` copies what it is given and may be called at most once per call. [any]
 *  reason: stable token in lower_snake_case, fit for a problem code or a metric label; may be empty
 *  detail: one sentence for a person: what was wrong, the value, what to do. Never a secret. */
typedef struct px_error {
  uint32_t struct_size;
  uint32_t reserved;
  void* self;
  void (*set)(void* self, px_status status, px_str reason, px_str detail);
} px_error;

/* The head of every table. */
typedef struct px_table {
  uint32_t struct_size; /* of the whole table that begins here, as its provider knows it */
  uint32_t revision;    /* the number after the slash in "px.store/1" */
  void* self;
} px_table;

/* A secret in locked memory of its owner. The holder calls `release` exactly once, which zeroes
 * and frees; `bytes` is valid until then. Never log it, never copy it into a plain string. */
typedef struct px_secret {
  uint32_t struct_size;
  uint32_t reserved;
  void* self;
  px_bytes bytes;
  void (*release)(void* self);
} px_secret;

/* A named text value: header, path parameter, query parameter, log field. */
typedef struct px_pair {
  px_str name;
  px_str value;
} px_pair;

#ifdef __cplusplus
}
#endif
#endif
