#include "scenario.h"
static __thread int number = NUMBER, uses;
int add(int x) { return number + x + 100000 * ++uses; }
