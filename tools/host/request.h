/* request.h - a command that waits for its program answers meanwhile, when somebody sends it a signal (as dd does at SIGUSR1). */
#ifndef LDR_HOST_REQUEST_H
#define LDR_HOST_REQUEST_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

struct requests {
    void (*answer)(void *arg);
    void *arg;
    int number;            /* of the signal */
    pthread_t thread;
    bool begun;
    atomic_bool over;
};

/* requests_begin - each NUMBER sent to this process makes answer(arg) run, in a thread of its own, one at a time; those that come while
 *   one is answered are one. The signal must be blocked in the caller and stay so (forward_fork can leave it that way): one that comes
 *   early or late waits, and ends nobody.
 *   returns errno when there is no such thread: nobody is answered then, and requests_end does nothing */
int requests_begin(struct requests *requests, int number, void (*answer)(void *arg), void *arg);
/* requests_end - the answer being given is given to its end, no other will be */
void requests_end(struct requests *requests);

#endif
