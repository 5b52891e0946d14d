#include "note.h"

BAD_NOTE(PX_ABI_MAJOR, PX_ABI_MINOR, "somebody_else");
TRAP_CONSTRUCTOR()

EXPORTED const px_plugin* plexsphere_plugin_v1(void);
const px_plugin* plexsphere_plugin_v1(void) {
  return 0;
}
