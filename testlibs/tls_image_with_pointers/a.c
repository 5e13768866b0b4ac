#include "scenario.h"
static int target = 11;
int preempted = 1;
static __thread int *inner = &target;
static __thread int *outer = &preempted;
static __thread const char *words[2] = { "alpha", "beta" };
int read_all(void) { return *inner + *outer + (words[1][0] == 'b' ? 1000 : 0); }
