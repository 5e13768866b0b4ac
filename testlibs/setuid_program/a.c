#include "scenario.h"
#ifdef EVIL
const char *word(void) { return "from LD_LIBRARY_PATH"; }
#else
const char *word(void) { return "right library"; }
#endif
