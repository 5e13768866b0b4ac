#include "scenario.h"
int old_data = 1, data = 2;
int bump(void) { return ++data; }
