/* request.c - see request.h. A thread and not a handler: an answer reads files and allocates, and whoever waits for the program by
 * waitid must not miss a signal that comes between its looking and its waiting. */
#include "request.h"

#include <signal.h>

static void *serve(void *arg) {
    struct requests *requests = arg;
    sigset_t set;
    int number;
    sigemptyset(&set);
    sigaddset(&set, requests->number);
    while (sigwait(&set, &number) == 0 && !atomic_load(&requests->over))
        requests->answer(requests->arg);
    return NULL;
}

int requests_begin(struct requests *requests, int number, void (*answer)(void *arg), void *arg) {
    *requests = (struct requests){ .answer = answer, .arg = arg, .number = number };
    int error = pthread_create(&requests->thread, NULL, serve, requests);
    requests->begun = error == 0;
    return error;
}

void requests_end(struct requests *requests) {
    if (!requests->begun)
        return;
    atomic_store(&requests->over, true);
    pthread_kill(requests->thread, requests->number);
    pthread_join(requests->thread, NULL);
    requests->begun = false;
}
