#include "note.h"

TRAP_CONSTRUCTOR()

EXPORTED const px_plugin* plexsphere_plugin_v1(void);
const px_plugin* plexsphere_plugin_v1(void) {
  return 0;
}
