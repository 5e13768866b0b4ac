#include "scenario.h"
int provided(void) { return 5; }
