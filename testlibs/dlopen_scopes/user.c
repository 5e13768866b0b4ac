#include "scenario.h"
int provided(void) __attribute__((weak));
int ask(void) { return provided ? provided() : -1; }
