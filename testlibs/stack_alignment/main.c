#include "scenario.h"
#include <pthread.h>
#include "check.h"
int picked(void), called(int, ...), constructed(void);
__attribute__((optimize("no-omit-frame-pointer"))) static void *body(void *arg) { say("thread %d", ALIGNED); return arg; }
__attribute__((optimize("no-omit-frame-pointer"))) static void at_end(void) { say("atexit %d", ALIGNED); }
__attribute__((optimize("no-omit-frame-pointer"))) int main(void)
{
    pthread_t thread;
    atexit(at_end);
    say("main %d called %d constructor %d resolver %d", ALIGNED, called(1, 2.0, 3), constructed(), picked());
    pthread_create(&thread, NULL, body, NULL);
    pthread_join(thread, NULL);
    return 0;
}
