#include "scenario.h"
#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
int JOIN(PREFIX, _one)(void) { return -1; }
int JOIN(PREFIX, _two)(void) { return -2; }
