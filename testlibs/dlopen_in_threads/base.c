#include "scenario.h"
static int ready;
__attribute__((constructor)) static void begin(void) { ready = 1; }
int base_ready(void) { return ready; }
