#include "scenario.h"
__thread int number = 66;
int *address(void) { return &number; }
