#include "scenario.h"
WEAK int value(void) { return VALUE; }
WEAK int data = VALUE;
extern int nowhere __attribute__((weak));
int nowhere_function(void) __attribute__((weak));
int has_nowhere(void) { return &nowhere != NULL || nowhere_function != NULL; }
