#include "scenario.h"
static __thread int number = NUMBER;
static __thread char room[80];
int use(void) { room[79] += 1; return number++ + 100 * room[79]; }
