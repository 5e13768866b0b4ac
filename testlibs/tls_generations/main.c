#include "scenario.h"
#include <pthread.h>
static pthread_barrier_t barrier;
static int (*use)(void);
static int seen[200];
static void *body(void *arg)
{
    for (int round = 0; round < 60; round++) {
        pthread_barrier_wait(&barrier);
        seen[round] = use();
        pthread_barrier_wait(&barrier);
    }
    return arg;
}
int main(void)
{
    static const char *const names[] = { "liba1.so", "liba2.so", "libd1.so", "liba3.so", "libd1.so" };
    pthread_t thread;
    long sum = 0;
    pthread_barrier_init(&barrier, NULL, 2);
    pthread_create(&thread, NULL, body, NULL);
    for (int round = 0; round < 60; round++) {
        void *one = must_open(names[round % 5], RTLD_NOW), *two = must_open(names[(round + 1) % 5], RTLD_NOW);
        use = must_sym(round % 2 ? one : two, "use");
        int here = use();
        pthread_barrier_wait(&barrier);
        pthread_barrier_wait(&barrier);
        sum += here + seen[round];
        if (here != seen[round])
            say("round %d: %d and %d", round, here, seen[round]);
        dlclose(round % 3 ? one : two);
        dlclose(round % 3 ? two : one);
    }
    pthread_join(thread, NULL);
    say("%ld %d", sum, is_mapped("/liba") || is_mapped("/libd1"));
    return 0;
}
