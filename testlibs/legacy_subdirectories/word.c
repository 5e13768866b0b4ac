#include "scenario.h"
const char *word(void) { return WORD; }
