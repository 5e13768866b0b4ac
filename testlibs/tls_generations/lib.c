#include "scenario.h"
static __thread int number = NUMBER * 100;
static __thread char big[NUMBER * 3000];
int use(void) { big[NUMBER * 2999]++; return ++number + 10000 * big[NUMBER * 2999]; }
