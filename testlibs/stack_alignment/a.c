#include "scenario.h"
#include "check.h"
static int in_constructor, in_resolver;
__attribute__((constructor, optimize("no-omit-frame-pointer"))) static void begin(void) { in_constructor = ALIGNED; }
__attribute__((destructor, optimize("no-omit-frame-pointer"))) static void end(void) { say("destructor %d", ALIGNED); }
static int real(void) { return in_resolver; }
__attribute__((optimize("no-omit-frame-pointer"))) static int (*choose(void))(void) { in_resolver = ALIGNED; return real; }
int picked(void) __attribute__((ifunc("choose")));
__attribute__((optimize("no-omit-frame-pointer"))) int called(int a, ...) { return ALIGNED && a; }
int constructed(void) { return in_constructor; }
