#include "scenario.h"
int b(int x) { return 10 * x; }
