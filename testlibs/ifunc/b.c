#include "scenario.h"
int picked(void);
int (*pointer_in_b)(void) = picked;
int call_from_b(void) { return 10 * picked(); }
