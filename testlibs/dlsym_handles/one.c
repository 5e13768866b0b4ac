#include "scenario.h"
int in_one(void) { return 1; }
int shared(void) { return 100; }
int next_of_one(void) { return ((int (*)(void))must_sym(RTLD_NEXT, "shared"))(); }
