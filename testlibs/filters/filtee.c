#include "scenario.h"
int filter_one(void) { return 1; }
