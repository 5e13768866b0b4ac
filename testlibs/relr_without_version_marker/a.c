#include "scenario.h"
static int cell;
int *table[] = { &cell, &cell };
PRINT_LIFE("a")
