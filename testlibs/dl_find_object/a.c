#include "scenario.h"
int function(void) { return 1; }
