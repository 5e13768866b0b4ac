#include "scenario.h"
void absent(void);
void mid(void) { say("mid"); absent(); }
PRINT_LIFE("mid")
