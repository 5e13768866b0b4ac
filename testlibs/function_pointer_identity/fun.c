#include "scenario.h"
int fun(int x) { return x + 1; }
int (*its_own_view(void))(int) { return fun; }
int (*table[])(int) = { fun };
