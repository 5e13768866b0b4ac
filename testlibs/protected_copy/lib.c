#include "scenario.h"
#ifndef PLAIN
__attribute__((visibility("protected")))
#endif
int data = 3;
#ifndef PLAIN
__attribute__((visibility("protected")))
#endif
int function(void) { return data; }
int *data_view(void) { return &data; }
