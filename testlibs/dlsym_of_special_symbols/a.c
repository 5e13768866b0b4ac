#include "scenario.h"
__thread int local = 5;
int *local_address(void) { return &local; }
static int chosen(void) { return 77; }
static int (*choose(void))(void) { return chosen; }
int indirect(void) __attribute__((ifunc("choose")));
int (*view(void))(void) { return indirect; }
__asm__(".globl zero\n.set zero, 0\n");
int common_value;
