#include "scenario.h"
#include <pthread.h>
static int *(*address)(void);
static pthread_barrier_t turn;
static void *body(void *arg)
{
    pthread_barrier_wait(&turn); /* bad was refused */
    say("thread finds %d", *address());
    *address() = 9;
    pthread_barrier_wait(&turn);
    pthread_barrier_wait(&turn); /* other was opened */
    say("thread set 9, reads %d", *address());
    return arg;
}
int main(void)
{
    pthread_t thread;
    pthread_barrier_init(&turn, NULL, 2);
    address = must_sym(must_open("./libowner.so", RTLD_NOW), "address");
    pthread_create(&thread, NULL, body, NULL);
    say("bad %s", dlopen("./libbad.so", RTLD_NOW) ? "opened" : "refused");
    pthread_barrier_wait(&turn);
    pthread_barrier_wait(&turn);
    must_open("./libother.so", RTLD_NOW);
    pthread_barrier_wait(&turn);
    pthread_join(thread, NULL);
    return 0;
}
