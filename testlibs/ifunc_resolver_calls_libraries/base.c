#include "scenario.h"
static int answer(void) { return 2; }
int (*pointer)(void) = answer;
int level(void) { return pointer(); }
