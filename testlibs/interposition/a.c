#include "scenario.h"
int value(void) { return 1; }
int asked_inside(void) { return value(); }
