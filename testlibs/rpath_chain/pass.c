#include "scenario.h"
const char *call(void);
const char *pass(void) { return call(); }
