#include "scenario.h"
static char *text;
__attribute__((constructor)) static void begin(void) { text = strdup("from the constructor"); }
const char *get(void) { return text; }
