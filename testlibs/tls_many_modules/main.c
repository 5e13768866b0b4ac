#include "scenario.h"
#include <pthread.h>
static void *opened[51], *needed[51];
static void *body(void *name)
{
    long sum = 0;
    for (int i = 1; i <= 50; i++)
        for (int j = 0; j <= i % 3; j++)
            sum += ((int (*)(int))must_sym(needed[i], "add"))(0) + (opened[i] ? 3L * ((int (*)(int))must_sym(opened[i], "add"))(1) : 0);
    say("%s %ld", (char *)name, sum);
    return NULL;
}
int main(void)
{
    pthread_t thread;
    char name[32];
    for (int i = 1; i <= 50; i++) {
        sprintf(name, "libn%d.so", i);
        needed[i] = must_open(name, RTLD_NOW | RTLD_NOLOAD);
    }
    body("needed");
    for (int i = 1; i <= 50; i++) {
        sprintf(name, "libo%d.so", i);
        opened[i] = must_open(name, RTLD_NOW);
    }
    body("all");
    pthread_create(&thread, NULL, body, "thread");
    pthread_join(thread, NULL);
    body("all again");
    return 0;
}
