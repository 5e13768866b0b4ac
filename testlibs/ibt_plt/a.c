#include "scenario.h"
int twice(int x) { return 2 * x; }
int (*pointer(void))(int) { return twice; }
