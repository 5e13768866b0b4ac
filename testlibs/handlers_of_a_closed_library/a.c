#include "scenario.h"
#include <pthread.h>
static void prepare(void) { say("prepare"); }
static void parent(void) { say("parent"); }
static void child(void) { say("child"); }
static void at_exit(void) { say("atexit"); }
PRINT_LIFE("a")
void install(void) { pthread_atfork(prepare, parent, child); atexit(at_exit); }
