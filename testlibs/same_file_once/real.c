#include "scenario.h"
PRINT_LIFE("real")
int counter;
int next(void) { return ++counter; }
