#include "scenario.h"
PRINT_LIFE("needs_symbol")
void nowhere(void);
void never(void) { nowhere(); }
