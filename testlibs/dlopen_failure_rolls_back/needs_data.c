#include "scenario.h"
PRINT_LIFE("needs_data")
extern int nowhere_data;
int *never(void) { return &nowhere_data; }
