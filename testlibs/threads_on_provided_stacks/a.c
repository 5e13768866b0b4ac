#include "scenario.h"
static __thread char block[3000] = { [2999] = 7 };
int use(void) { return block[2999]++; }
