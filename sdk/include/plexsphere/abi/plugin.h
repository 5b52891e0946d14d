/* The one function a plugin exports, what it returns, and the note the host reads before loading.
 *
 * Lifecycle, all on the host's main thread, each once and in this order:
 *   describe → create → configure → start → drain → stop → destroy
 * A failed configure or start is still followed by stop and destroy. A plugin is never unloaded.
 */
#ifndef PLEXSPHERE_ABI_PLUGIN_H
#define PLEXSPHERE_ABI_PLUGIN_H

#include "plexsphere/abi/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What the host lends to one plugin. Valid until destroy returns. */
typedef struct px_host {
  uint32_t struct_size;
  uint16_t abi_major; /* of the host */
  uint16_t abi_minor;
  void* self;
  /* A host service ("px.store/1") or another context's port ("px.audit/1"), or null when there is
   * none, or when the manifest does not grant it. Ports named in `requires` are never null here:
   * the host refuses to start without them. Ports in `wants` may be. Cast the result to the
   * service's own type and check PX_HAS for members newer than your minimum. [init] */
  const px_table* (*get_service)(void* self, px_str name);
  /* Offers a port that the manifest lists under `provides`. The table must live until the process
   * ends. Call it in configure. [init] */
  px_status (*provide)(void* self, px_str name, const px_table* table, px_error* err);
} px_host;

struct px_config; /* plexsphere/abi/config.h */

/* What describe returns. Views are static. The host compares id and version with the manifest. */
typedef struct px_description {
  uint32_t struct_size;
  uint32_t reserved;
  px_str id;      /* "identity", or a reverse domain name for third parties */
  px_str version; /* semantic version of the plugin */
} px_description;

/* Static for the life of the process. No function here may be null. */
typedef struct px_plugin {
  uint32_t struct_size;
  uint16_t abi_major; /* PX_ABI_MAJOR and PX_ABI_MINOR of the headers it was built with */
  uint16_t abi_minor;
  /* Pure: no host call, no allocation. */
  const px_description* (*describe)(void);
  /* Pure: judges a configuration without an instance. Run by --check-config too. */
  px_status (*validate)(const struct px_config* config, px_error* err);
  /* Makes the instance. Only stores `host`; no host call yet. */
  px_status (*create)(const px_host* host, void** instance, px_error* err);
  /* Obtains services, declares statements, routes, metrics, jobs, probes; offers ports. The
   * database may be away. */
  px_status (*configure)(void* instance, px_error* err);
  /* Begins work: threads, listeners. Must return within 30 s. */
  px_status (*start)(void* instance, px_error* err);
  /* No new request arrives any more; finish and flush within `deadline_ms` from now. */
  px_status (*drain)(void* instance, uint32_t deadline_ms, px_error* err);
  /* Joins every thread of the plugin. After it returns the host calls nothing but destroy. */
  void (*stop)(void* instance);
  void (*destroy)(void* instance);
} px_plugin;

/* The exported symbol. Never returns null. Must not call into the host. */
typedef const px_plugin* (*px_plugin_entry)(void);
#define PX_PLUGIN_ENTRY "plexsphere_plugin_v1"

/* The ELF note, section ".note.plexsphere", owner name "plexsphere", type 1. Descriptor, little
 * endian: u16 major, u16 minor, then id and version as zero-terminated text, padded to 4 bytes. The
 * host reads it from the file before dlopen, so that a plugin it refuses never runs a constructor.
 */
#define PX_NOTE_SECTION ".note.plexsphere"
#define PX_NOTE_OWNER "plexsphere"
#define PX_NOTE_TYPE 1
#define PX_NOTE_ID_SIZE 64      /* bytes, terminator and padding included */
#define PX_NOTE_VERSION_SIZE 32 /* bytes, terminator and padding included */

typedef struct px_note {
  uint32_t name_size; /* sizeof name, terminator included, padding not: 11 */
  uint32_t desc_size; /* from abi_major to the end */
  uint32_t type;
  char name[12];
  uint16_t abi_major;
  uint16_t abi_minor;
  char id[PX_NOTE_ID_SIZE];
  char version[PX_NOTE_VERSION_SIZE];
} px_note;

/* Put once, at file scope, into one source of the plugin. */
#define PX_PLUGIN_NOTE(id_text, version_text)                          \
  __attribute__((section(PX_NOTE_SECTION), used,                       \
                 aligned(4))) static const px_note plexsphere_note = { \
      11,           sizeof(px_note) - offsetof(px_note, abi_major),    \
      PX_NOTE_TYPE, PX_NOTE_OWNER,                                     \
      PX_ABI_MAJOR, PX_ABI_MINOR,                                      \
      id_text,      version_text}

#ifdef __cplusplus
}
#endif
#endif
