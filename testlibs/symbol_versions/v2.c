#include "scenario.h"
__attribute__((symver("value@V1"))) int value_1(void) { return 1; }
__attribute__((symver("value@V2"))) int value_2(void) { return 2; }
__attribute__((symver("value@@V3"))) int value_3(void) { return 3; }
int only_two(void) { return 22; }
