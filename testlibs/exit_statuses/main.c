#include "scenario.h"
#include <pthread.h>
#include <signal.h>
static void bye(void) { say("atexit"); }
static void quick(void) { say("at_quick_exit"); }
static void *leave(void *arg) { usleep(20000); say("last thread"); return arg; }
PRINT_LIFE("main")
int main(int argc, char **argv)
{
    const char *how = argv[argc - 1];
    pthread_t thread;
    atexit(bye);
    at_quick_exit(quick);
    if (!strcmp(how, "exit")) exit(11);
    if (!strcmp(how, "_exit")) _exit(12);
    if (!strcmp(how, "quick")) quick_exit(13);
    if (!strcmp(how, "abort")) abort();
    if (!strcmp(how, "kill")) raise(SIGTERM);
    if (!strcmp(how, "segv")) *(volatile int *)8 = 1;
    if (!strcmp(how, "pthread")) {
        pthread_create(&thread, NULL, leave, NULL);
        pthread_exit(NULL);
    }
    return 10;
}
