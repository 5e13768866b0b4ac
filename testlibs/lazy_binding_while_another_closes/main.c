#include "scenario.h"
#include <pthread.h>
static pthread_barrier_t inside_close;
static int (*call)(void);
static int got;
void closing(void);
void closing(void) { pthread_barrier_wait(&inside_close); }
static void *body(void *arg)
{
    pthread_barrier_wait(&inside_close);
    got = call();
    return arg;
}
int main(void)
{
    pthread_t thread;
    alarm(5);
    must_open("./libglobal.so", RTLD_LAZY | RTLD_GLOBAL);
    call = must_sym(must_open("./libcaller.so", RTLD_LAZY), "call");
    void *slow = must_open("./libslow.so", RTLD_NOW);
    pthread_barrier_init(&inside_close, NULL, 2);
    pthread_create(&thread, NULL, body, NULL);
    say("closed %d", dlclose(slow));
    pthread_join(thread, NULL);
    say("got %d", got);
    return 0;
}
