#include "scenario.h"
static void never(void) { say("preinit of a library"); }
PRINT_LIFE("a")
void *keep = never;
