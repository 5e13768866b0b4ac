#include "scenario.h"
int b(int);
int a(int x) { return b(x) + 1; }
