/* A plugin's note with every part chosen freely, for plugins that lie. */
#ifndef PLEXSPHERE_TESTS_LOADER_NOTE_H
#define PLEXSPHERE_TESTS_LOADER_NOTE_H

#include "plexsphere/abi/plugin.h"

#define BAD_NOTE(major, minor, id_text)                                                         \
  __attribute__((section(PX_NOTE_SECTION), used, aligned(4))) static const px_note bad_note = { \
      11,           sizeof(px_note) - offsetof(px_note, abi_major),                             \
      PX_NOTE_TYPE, PX_NOTE_OWNER,                                                              \
      major,        minor,                                                                      \
      id_text,      "0.1.0"}

/* Loading one of these must never happen: the constructor leaves a trace that the test looks for.
 */
#define TRAP_CONSTRUCTOR()                                \
  int setenv(const char*, const char*, int);              \
  __attribute__((constructor)) static void trap(void) {   \
    setenv("PLEXSPHERE_TEST_REFUSED_PLUGIN_RAN", "1", 1); \
  }

#define EXPORTED __attribute__((visibility("default")))

#endif
