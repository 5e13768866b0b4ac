#include "scenario.h"
#ifdef LATE
void through_late(void (*next)(void)) { next(); __asm__ volatile(""); }
#else
void through_a(void (*next)(void)) { next(); __asm__ volatile(""); }
#endif
