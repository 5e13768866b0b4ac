#include "scenario.h"
PRINT_LIFE("a")
int a(void) { return 1; }
