#include "scenario.h"
#include <pthread.h>
static void prepare(void) { say("prepare"); }
static void parent(void) { say("parent"); }
int in_child; /* told by exit status: both processes printing would race */
static void child(void) { in_child = 1; }
static void at_exit(void) { say("atexit"); }
PRINT_LIFE("a")
void install(void) { pthread_atfork(prepare, parent, child); atexit(at_exit); }
