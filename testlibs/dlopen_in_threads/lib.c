#include "scenario.h"
int base_ready(void);
static __thread int uses;
static int ready;
__attribute__((constructor)) static void begin(void) { ready = base_ready(); }
int use(int x) { uses++; return ready ? x * NUMBER : -1; }
