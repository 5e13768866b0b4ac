#include "scenario.h"
static int one(void) { return 11; }
static int two(void) { return 22; }
static int (*choose(void))(void) { return __builtin_cpu_init(), __builtin_cpu_supports("sse2") ? two : one; }
int mine(void) __attribute__((ifunc("choose")));
static int (*pointer)(void) = mine;
int main(void) { say("%d %d %d", mine(), pointer(), pointer == mine); return 0; }
