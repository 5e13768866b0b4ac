#include "scenario.h"
#include <pthread.h>
enum { THREADS = 3 };
static pthread_barrier_t barrier;
static int (*count[4])(void);
static int results[THREADS][4][3];
static int libraries;
static void *body(void *number)
{
    int (*mine)[3] = results[(long)number];
    pthread_barrier_wait(&barrier);
    pthread_barrier_wait(&barrier); /* the main thread opens the libraries between these two */
    for (int lib = 0; lib < libraries; lib++)
        for (int i = 0; i < 3; i++)
            mine[lib][i] = count[lib]();
    return NULL;
}
int main(int argc, char **argv)
{
    pthread_t threads[THREADS];
    libraries = argc - 1;
    pthread_barrier_init(&barrier, NULL, THREADS + 1);
    for (long i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, body, (void *)i);
    pthread_barrier_wait(&barrier);
    for (int lib = 0; lib < libraries; lib++)
        count[lib] = must_sym(must_open(argv[1 + lib], RTLD_NOW), "count");
    pthread_barrier_wait(&barrier);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        for (int lib = 0; lib < libraries; lib++)
            say("%d %d: %d %d %d", i, lib, results[i][lib][0], results[i][lib][1], results[i][lib][2]);
    }
    say("%d", count[0]());
    return 0;
}
