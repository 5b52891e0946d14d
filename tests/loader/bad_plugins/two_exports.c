#include "note.h"

BAD_NOTE(PX_ABI_MAJOR, PX_ABI_MINOR, "two_exports");
TRAP_CONSTRUCTOR()

EXPORTED const px_plugin* plexsphere_plugin_v1(void);
EXPORTED void one_too_many(void);
const px_plugin* plexsphere_plugin_v1(void) {
  return 0;
}
void one_too_many(void) {}
