#include "scenario.h"
extern __thread int nowhere __attribute__((weak));
int has_nowhere(void) { return &nowhere != NULL; }
__thread char library_block[64] = { [5] = 'x', [63] = 'y' };
