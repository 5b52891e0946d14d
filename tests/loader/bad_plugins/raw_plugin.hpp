// A plugin over the bare wire, without the SDK's guards, so that it can misbehave.
#pragma once

#include <cstdint>

#include "plexsphere/abi/plugin.h"
#include "plexsphere/abi/router.h"

namespace raw {

inline px_str text(const char* from) {
  return {from, __builtin_strlen(from)};
}

struct Instance {
  const px_host* host;
};

inline px_status accept(const px_config*, px_error*) {
  return PX_OK;
}
inline px_status make(const px_host* host, void** out, px_error*) {
  *out = new Instance{host};
  return PX_OK;
}
inline px_status nothing(void*, px_error*) {
  return PX_OK;
}
inline px_status no_drain(void*, std::uint32_t, px_error*) {
  return PX_OK;
}
inline void no_stop(void*) {}
inline void destroy(void* self) {
  delete static_cast<Instance*>(self);
}

inline const px_router* router(void* self) {
  const px_host* host = static_cast<Instance*>(self)->host;
  return reinterpret_cast<const px_router*>(host->get_service(host->self, text("px.router/1")));
}

inline px_status add_route(void* self, const char* path,
                           void (*handle)(void*, const px_request*, const px_responder*),
                           px_error* err) {
  px_route route{};
  route.struct_size = sizeof(route);
  route.method = text("GET");
  route.path = text(path);
  route.auth = PX_AUTH_NONE;
  route.handle = handle;
  const px_router* to = router(self);
  return to->add(to->base.self, &route, err);
}

}  // namespace raw

#define RAW_PLUGIN(id_text, create_fn, configure_fn)                                          \
  PX_PLUGIN_NOTE(id_text, "0.1.0");                                                           \
  extern "C" __attribute__((visibility("default"))) const px_plugin* plexsphere_plugin_v1() { \
    static const px_description description{sizeof(px_description), 0, raw::text(id_text),    \
                                            raw::text("0.1.0")};                              \
    static const px_plugin plugin{                                                            \
        sizeof(px_plugin), PX_ABI_MAJOR,  PX_ABI_MINOR, [] { return &description; },                               \
        &raw::accept,      create_fn,     configure_fn, &raw::nothing,                        \
        &raw::no_drain,    &raw::no_stop, &raw::destroy};                                     \
    return &plugin;                                                                           \
  }
