#include "scenario.h"
int old_value(void);
__asm__(".symver old_value, value@V2");
int through_next(void) { return old_value(); }
