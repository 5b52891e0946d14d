#include "note.h"

BAD_NOTE(PX_ABI_MAJOR, PX_ABI_MINOR, "missing_symbol");
TRAP_CONSTRUCTOR()
