#include "scenario.h"
static int slow(void) { return 1; }
static int fast(void) { return 2; }
static int choice = 1;
static int (*choose(void))(void) { return choice ? fast : slow; }
int picked(void) __attribute__((ifunc("choose")));
static int (*choose_hidden(void))(void) { return slow; }
static int inside(void) __attribute__((ifunc("choose_hidden")));
int call_inside(void) { return inside(); }
int (*pointer_in_a)(void) = picked;
int (*view_in_a(void))(void) { return picked; }
