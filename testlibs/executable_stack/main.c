#include "scenario.h"
#include <pthread.h>
static void *body(void *arg) { int here; say("thread %s", page_rights(&here)); return arg; }
int main(int argc, char **argv)
{
    int here;
    pthread_t thread;
    say("main %s", page_rights(&here));
    if (argc > 1) {
        must_open(argv[1], RTLD_NOW);
        say("main %s", page_rights(&here));
    }
    pthread_create(&thread, NULL, body, NULL);
    pthread_join(thread, NULL);
    return 0;
}
