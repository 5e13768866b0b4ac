#include "scenario.h"
const char *word(void);
const char *call(void) { return word(); }
