#include "scenario.h"
extern int in_program;
PRINT_LIFE("a")
int read_program(void) { return in_program; }
