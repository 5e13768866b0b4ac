#include "scenario.h"
const char *word(void) { return WORD; }
__attribute__((constructor)) static void begin(void) { say("%s", WORD); }
