#include "scenario.h"
int helped(void);
int value(void) { return 1; }
int ask(void) { return 10 * value() + helped(); }
