#include "note.h"

BAD_NOTE(PX_ABI_MAJOR + 1, 0, "wrong_major");
TRAP_CONSTRUCTOR()

EXPORTED const px_plugin* plexsphere_plugin_v1(void);
const px_plugin* plexsphere_plugin_v1(void) {
  return 0;
}
