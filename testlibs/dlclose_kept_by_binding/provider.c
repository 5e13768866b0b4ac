#include "scenario.h"
PRINT_LIFE("provider")
int provided(void) { return 5; }
