#include "scenario.h"
__thread int exported = 3;
static __thread int counter = 40;
extern __thread int absent __attribute__((weak));
int count(void) { counter++; return counter + exported; }
int has_absent(void) { return &absent != NULL; }
