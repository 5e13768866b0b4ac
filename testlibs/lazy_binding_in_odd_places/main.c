#include "scenario.h"
#include <pthread.h>
#include <signal.h>
int in_handler(int, double), in_destructor(int), in_threads(int, int), in_cleanup(int);
static char stack[65536];
static volatile int result;
static pthread_barrier_t barrier;
static void handler(int signo) { result = in_handler(signo, 100.5); }
static void *race(void *n) { pthread_barrier_wait(&barrier); return (void *)(long)in_threads((int)(long)n, 1); }
static void cleanup(void *arg) { *(int *)arg = in_cleanup(2); }
static void *cancelled(void *arg)
{
    pthread_cleanup_push(cleanup, arg);
    for (;;)
        pause();
    pthread_cleanup_pop(0);
    return NULL;
}
__attribute__((destructor)) static void end(void) { say("end %d", in_destructor(21)); }
int main(void)
{
    stack_t alternate = { .ss_sp = stack, .ss_size = sizeof stack };
    struct sigaction act = { .sa_handler = handler, .sa_flags = SA_ONSTACK };
    pthread_t threads[8];
    sigaltstack(&alternate, NULL);
    sigaction(SIGUSR1, &act, NULL);
    raise(SIGUSR1);
    say("%d", result);
    pthread_barrier_init(&barrier, NULL, 8);
    for (long i = 0; i < 8; i++)
        pthread_create(&threads[i], NULL, race, (void *)i);
    long sum = 0;
    for (int i = 0; i < 8; i++) {
        void *one;
        pthread_join(threads[i], &one);
        sum += (long)one;
    }
    int cleaned = 0;
    pthread_create(&threads[0], NULL, cancelled, &cleaned);
    usleep(1000);
    pthread_cancel(threads[0]);
    pthread_join(threads[0], NULL);
    say("%ld %d", sum, cleaned);
    return 0;
}
