#include "scenario.h"
int helped(void) { return 3; }
