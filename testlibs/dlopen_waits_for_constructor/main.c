#include "scenario.h"
#include <pthread.h>
static volatile int started;
static void *body(void *arg)
{
    started = 1;
    void *slow = must_open("libslow.so", RTLD_NOW);
    return ((int (*)(void))must_sym(slow, "is_ready"))() ? arg : NULL;
}
int main(void)
{
    pthread_t threads[2];
    long good = 0;
    for (int i = 0; i < 2; i++) {
        pthread_create(&threads[i], NULL, body, (void *)1);
        while (!started)
            usleep(100);
        usleep(20000);
    }
    for (int i = 0; i < 2; i++) {
        void *result;
        pthread_join(threads[i], &result);
        good += (long)result;
    }
    say("%ld", good);
    return 0;
}
