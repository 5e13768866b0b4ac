#include "scenario.h"
int auxiliary_one(void) { return 10; }
