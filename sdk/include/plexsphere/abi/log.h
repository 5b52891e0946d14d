/* px.log/1: structured log lines. The host adds time, service and the plugin's id. */
#ifndef PLEXSPHERE_ABI_LOG_H
#define PLEXSPHERE_ABI_LOG_H

#include "plexsphere/abi/base.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef int32_t px_log_level;
enum { PX_LOG_DEBUG = 0, PX_LOG_INFO = 1, PX_LOG_WARN = 2, PX_LOG_ERROR = 3 };

typedef struct px_log {
  px_table base;
  /* `event` is a stable name ("node.registered"), not prose; `fields` carry the rest. Field names
   * in lower_snake_case. At most 32 fields and 4096 bytes a value; more is cut and marked. [any] */
  void (*write)(void* self, px_log_level level, px_str event, const px_pair* fields,
                uint64_t field_count);
  /* False when a line of that level would be dropped: skip building it. [no-block] */
  int32_t (*enabled)(void* self, px_log_level level);
} px_log;

#ifdef __cplusplus
}
#endif
#endif
