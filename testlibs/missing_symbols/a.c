#include "scenario.h"
void present(void) { say("present"); }
#ifndef WITHOUT
int absent_data = 3;
__thread int absent_tls = 3;
void absent(void) { say("absent"); }
#endif
