#include "scenario.h"
__thread char library_block[64] = { [5] = 'x', [63] = 'y' };
