#include "scenario.h"
#include <pthread.h>
static pthread_barrier_t barrier;
static int (*use[5])(void);
static int sums[2];
static void *body(void *number)
{
    for (int i = 1; i <= 4; i++) {
        pthread_barrier_wait(&barrier);
        pthread_barrier_wait(&barrier);
        sums[(long)number] += use[i]() + use[i]();
    }
    return NULL;
}
int main(void)
{
    pthread_t threads[2];
    char name[32];
    pthread_barrier_init(&barrier, NULL, 3);
    for (long i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, body, (void *)i);
    for (int i = 1; i <= 4; i++) {
        pthread_barrier_wait(&barrier);
        sprintf(name, "libs%d.so", i);
        use[i] = must_sym(must_open(name, RTLD_NOW), "use");
        pthread_barrier_wait(&barrier);
    }
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    say("%d %d %d", sums[0], sums[1], use[1]());
    return 0;
}
