/* px.info/1: what this process is: build, plugins, the API description they make together. */
#ifndef PLEXSPHERE_ABI_INFO_H
#define PLEXSPHERE_ABI_INFO_H

#include "plexsphere/abi/base.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef int32_t px_plugin_state;
enum {
  PX_PLUGIN_DISCOVERED = 0,
  PX_PLUGIN_REJECTED = 1,
  PX_PLUGIN_DISABLED = 2,
  PX_PLUGIN_FAILED = 3,
  PX_PLUGIN_RUNNING = 4,
  PX_PLUGIN_DRAINING = 5
};

/* Views live for the call. */
typedef struct px_plugin_info {
  uint32_t struct_size;
  px_plugin_state state;
  px_str id;
  px_str version;
  px_str reason;  /* why rejected or failed; empty otherwise */
  px_str openapi; /* its API fragment as JSON text, as shipped beside it; empty if none */
} px_plugin_info;

typedef struct px_info {
  px_table base;
  px_str (*version)(void* self); /* views live as long as the table [any] */
  px_str (*commit)(void* self);
  px_str (*build_date)(void* self);
  /* Every plugin found in the plugin directory, in dependency order, then the others. [worker] */
  void (*plugins)(void* self, void* ctx, void (*each)(void* ctx, const px_plugin_info* plugin));
} px_info;

#ifdef __cplusplus
}
#endif
#endif
