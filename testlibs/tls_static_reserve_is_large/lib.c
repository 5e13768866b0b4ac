#include "scenario.h"
static __thread int number = NUMBER;
static __thread char room[65536];
int use(void) { room[65535] += 1; return number + 100 * room[65535]; }
