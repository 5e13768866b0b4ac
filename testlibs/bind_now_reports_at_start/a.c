#include "scenario.h"
void present(void) { say("present"); }
#ifndef WITHOUT
void absent(void) { say("absent"); }
#endif
