#include "scenario.h"
static __thread int number = NUMBER;
static __thread char room[16384];
int use(void) { room[16383] += 1; return number + 100 * room[16383]; }
