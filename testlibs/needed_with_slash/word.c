#include "scenario.h"
PRINT_LIFE("path")
int word(void) { return 4; }
