/* px.config/1: the plugin's own keys of [context.<id>], already checked against its manifest.
 *
 * A key the manifest does not declare cannot be asked for (PX_NOT_FOUND, reason "undeclared_key").
 * A declared key that the file leaves out yields the manifest's default; without one, PX_NOT_FOUND,
 * reason "unset". */
#ifndef PLEXSPHERE_ABI_CONFIG_H
#define PLEXSPHERE_ABI_CONFIG_H

#include "plexsphere/abi/base.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct px_config {
  px_table base;
  /* Types "string" and "path". The view lives as long as the table. [any] */
  px_status (*get_string)(void* self, px_str key, px_str* out, px_error* err);
  px_status (*get_integer)(void* self, px_str key, int64_t* out, px_error* err);
  px_status (*get_boolean)(void* self, px_str key, int32_t* out, px_error* err);
  /* Type "duration": text such as "30s", "5m", "12h", "7d" in the file. Milliseconds here. */
  px_status (*get_duration_ms)(void* self, px_str key, int64_t* out, px_error* err);
  /* Type "string_list": item count, then each by index. */
  px_status (*get_list_size)(void* self, px_str key, uint64_t* out, px_error* err);
  px_status (*get_list_item)(void* self, px_str key, uint64_t index, px_str* out, px_error* err);
} px_config;

#ifdef __cplusplus
}
#endif
#endif
