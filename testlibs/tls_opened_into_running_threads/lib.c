#include "scenario.h"
static int origin = 9;
static __thread int counter = 50;
static __thread int *pointer = &origin;
int count(void) { return ++counter + *pointer; }
