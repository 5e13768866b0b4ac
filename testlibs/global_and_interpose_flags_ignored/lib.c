#include "scenario.h"
int value(void) { return VALUE; }
#ifdef OTHER
int only_global(void) { return 33; }
#endif
