#include "scenario.h"
int level(void);
extern int (*pointer)(void);
static const char *const words[] = { "zero", "one", "two" };
static int four(void) { return 4; }
static int three(void) { return 3; }
static int (*choose(void))(void) { return strlen(words[level()]) == 3 && pointer() == 2 ? three : four; }
int picked(void) __attribute__((ifunc("choose")));
