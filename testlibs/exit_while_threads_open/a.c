#include "scenario.h"
int value(void) { return 12; }
