#include "scenario.h"
#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
int function(void) { return 1; }
int data = 10;
int JOIN(PREFIX, sum)(void) { return function() + data; }
int *JOIN(PREFIX, address)(void) { return &data; }
