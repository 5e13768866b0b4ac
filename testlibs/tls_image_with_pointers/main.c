#include "scenario.h"
#include <pthread.h>
int read_all(void);
int preempted = 200;
static int here = 5;
static __thread int *mine = &here;
static void *body(void *late) { say("%d %d %d", read_all(), *mine, late ? ((int (*)(void))late)() : 0); return NULL; }
int main(void)
{
    pthread_t thread;
    body(NULL);
    void *late = must_sym(must_open("libb.so", RTLD_NOW), "read_all");
    pthread_create(&thread, NULL, body, late);
    pthread_join(thread, NULL);
    body(late);
    return 0;
}
