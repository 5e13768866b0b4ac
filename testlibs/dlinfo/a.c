#include "scenario.h"
__thread int number = 88;
int *address(void) { return &number; }
