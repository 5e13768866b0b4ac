#include "scenario.h"
int provided(void);
int ask(void) { return provided(); }
