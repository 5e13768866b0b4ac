#include "scenario.h"
static void at_exit_a(void) { say("atexit of a library"); }
__attribute__((constructor)) static void begin(void) { say("begin"); atexit(at_exit_a); }
__attribute__((destructor)) static void end(void) { say("end"); }
